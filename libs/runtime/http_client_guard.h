#pragma once

/*
 * Http client guard: whom a request of ours may reach. Pure; judges what is connected to, not what
 * the URL says, so that a name that changes its address, 0x7f.1 and 2130706433 gain nothing.
 *
 * Refused unless a row allows it: loopback, private, shared, link-local, documentation, benchmark,
 * translation, multicast and reserved ranges of RELIABILITY §4.4, and other ports than 80, 443 and
 * 8000 to 9000.
 */

#include <stdbool.h>
#include <stddef.h>

struct sockaddr;
struct rv_http_allow;

/*
 * Rows with commas between: "*" (everything), an address or network ("10.0.0.0/8", "::1",
 * "[fd00::/8]:8443", "127.0.0.1:8099"), or a name ("models.internal:443"); without a port, any.
 * NULL with words in @why when it does not parse; an empty list is a list.
 */
struct rv_http_allow *rv_http_allow_new(const char *text, char *why, size_t why_size);
void rv_http_allow_free(struct rv_http_allow *allow); /* NULL is fine */

/* Whether a request whose URL says @host and @port may connect to @address. */
bool rv_http_may_reach(const struct rv_http_allow *allow, const char *host, int port,
                       const struct sockaddr *address);

/* The same for an address as text, without brackets. */
bool rv_http_may_reach_text(const struct rv_http_allow *allow, const char *host, int port,
                            const char *address);
