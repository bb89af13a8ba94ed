#include "executor/room.h"

#include <pthread.h>
#include <stdlib.h>

struct room {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t places, free;
    size_t looking[ROOM_RANKS];
    bool closed;
};

struct room *room_new(size_t places)
{
    struct room *room = calloc(1, sizeof(*room));

    if (!room)
        abort();
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->changed, NULL);
    room->places = room->free = places;
    return room;
}

void room_free(struct room *room)
{
    if (!room)
        return;
    pthread_mutex_destroy(&room->lock);
    pthread_cond_destroy(&room->changed);
    free(room);
}

static bool is_my_turn(const struct room *room, size_t rank)
{
    if (room->free == 0)
        return false;
    for (size_t i = 0; i < rank; i++)
        if (room->looking[i] > 0)
            return false;
    return true;
}

bool room_enter(struct room *room, size_t rank)
{
    bool open;

    pthread_mutex_lock(&room->lock);
    room->looking[rank]++;
    while (!room->closed && !is_my_turn(room, rank))
        pthread_cond_wait(&room->changed, &room->lock);
    open = !room->closed;
    if (!open)
        room->looking[rank]--;
    pthread_mutex_unlock(&room->lock);
    return open;
}

void room_leave(struct room *room, size_t rank)
{
    pthread_mutex_lock(&room->lock);
    room->looking[rank]--;
    pthread_cond_broadcast(&room->changed);
    pthread_mutex_unlock(&room->lock);
}

size_t room_take(struct room *room, size_t want)
{
    size_t got;

    pthread_mutex_lock(&room->lock);
    got = want < room->free ? want : room->free;
    room->free -= got;
    pthread_mutex_unlock(&room->lock);
    return got;
}

void room_give(struct room *room, size_t n)
{
    if (n == 0)
        return;
    pthread_mutex_lock(&room->lock);
    room->free += n;
    pthread_cond_broadcast(&room->changed);
    pthread_mutex_unlock(&room->lock);
}

size_t room_taken(struct room *room)
{
    size_t taken;

    pthread_mutex_lock(&room->lock);
    taken = room->places - room->free;
    pthread_mutex_unlock(&room->lock);
    return taken;
}

void room_close(struct room *room)
{
    pthread_mutex_lock(&room->lock);
    room->closed = true;
    pthread_cond_broadcast(&room->changed);
    pthread_mutex_unlock(&room->lock);
}
