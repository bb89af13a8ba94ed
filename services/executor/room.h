#pragma once

/*
 * Room: how many more steps that wait for the outside may be taken. Whoever looks for urgent work
 * is let in first: the less urgent wait until it has seen that there is none.
 */

#include <stdbool.h>
#include <stddef.h>

enum { ROOM_RANKS = 4 }; /* 0 is the most urgent */

struct room;

struct room *room_new(size_t places);
void room_free(struct room *room); /* NULL is fine */

/* Waits for a free place and for its turn; false: the room is closed. */
bool room_enter(struct room *room, size_t rank);
void room_leave(struct room *room, size_t rank);

size_t room_take(struct room *room, size_t want); /* how many of them it got */
void room_give(struct room *room, size_t n);
size_t room_taken(struct room *room);
void room_close(struct room *room); /* nobody enters any more */
