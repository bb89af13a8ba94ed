#pragma once

/* Http front: libmicrohttpd's callbacks, for http_server.c to register. */

#include <microhttpd.h>

void rv_http_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                           enum MHD_ConnectionNotificationCode what);
void *rv_http_on_target(void *arg, const char *raw, struct MHD_Connection *mhd);
void rv_http_on_completed(void *arg, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode why);
enum MHD_Result rv_http_on_request(void *arg, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *bytes,
                                   size_t *len, void **context);
