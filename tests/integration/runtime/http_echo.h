#pragma once

/* A server that says what it heard, for the tests of the http server. */

#include "integration/runtime/http_raw.h"

extern struct rv_http_server *server;

/* Answers with method, path, arguments, size of the body and client. /later: from another thread;
 * /full: is not taken; /keep: see the_kept(). Deadlines: head 400 ms, body 500 ms, idle 900 ms. */
int open_server(void **state);
int close_server(void **state); /* NULL in @server: the test has closed it */

/* The first request for /keep; waits for it. The test answers it. */
struct rv_http_request *the_kept(void);
void answer_text(struct rv_http_request *request, const char *text, size_t len);

#define HTTP_TEST(function) cmocka_unit_test_setup_teardown(function, open_server, close_server)
#define H                   "Host: a\r\n"
