#pragma once

/*
 * Folder: what `reeve up` keeps in its data folder.
 *
 *     lock          held while it runs; says the supervisor's process id
 *     ports         one "name=port" a line, chosen once and kept
 *     programs      what runs now, one JSON object a line (`reeve ps`)
 *     admin.key     the first API key, for this user's eyes only
 *     pg/ nats/     the store and the bus;  logs/ what everybody says
 */

#include "base/ctx.h"

/* The port of that name; 0: none has been chosen. */
int64_t folder_port(const char *data, const char *name);

/* Keeps it. */
rv_result folder_port_keep(struct rv_ctx *cx, const char *data, const char *name, int64_t port);

/* Nobody listens on it, on loopback, at this moment. */
bool folder_port_is_free(int64_t port);

/* It is free, and this process has not claimed it before for another of its programs, which may
 * not listen yet. */
bool folder_port_claim(int64_t port);
int64_t folder_port_free(void); /* claims any; 0: there is none */

/* The process id of the supervisor that runs on this folder; 0: nobody does. */
int64_t folder_owner(const char *data);

/* Makes the folder (0700) and takes its lock, for as long as this process and its children live
 * with @fd open. RV_CONFLICT: somebody else has it. */
rv_result folder_take(struct rv_ctx *cx, const char *data, int *fd);

/* Writes a file in one rename, with that mode. */
rv_result folder_write(struct rv_ctx *cx, const char *path, int mode, const char *text);
