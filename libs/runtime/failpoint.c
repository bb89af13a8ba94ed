#include "runtime/failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { POINTS_MAX = 16, NAME_SIZE = 128 };

enum action { ACTION_EXIT, ACTION_STALL, ACTION_ERROR };

struct point {
    char name[NAME_SIZE];
    enum action action;
    atomic_llong left; /* it breaks when this falls to 0 */
};

const char *const rv_failpoint_sides[] = { "begin", "commit.before", "commit.after", "reply.after",
                                           NULL };
bool rv_failpoints_armed;

static struct point points[POINTS_MAX];
static size_t n_points;

static bool read_action(const char *word, enum action *action)
{
    static const char *const words[] = { "exit", "stall", "error" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            *action = (enum action)i;
            return true;
        }
    }
    return false;
}

/* Takes "name[:count][=action]" apart, in place. */
static bool read_point(char *text, struct point *point)
{
    char *action = strchr(text, '='), *count;
    int64_t left = 1;

    if (action)
        *action++ = '\0';
    count = strchr(text, ':');
    if (count)
        *count++ = '\0';
    if (!*text || strlen(text) >= sizeof(point->name))
        return false;
    if ((count && !rv_text_int(count, &left)) || left < 1)
        return false;
    point->action = ACTION_EXIT;
    if (action && !read_action(action, &point->action))
        return false;
    strcpy(point->name, text);
    atomic_store(&point->left, left);
    return true;
}

bool rv_failpoints_read(FILE *errors)
{
    const char *given = getenv("REEVE_FAILPOINTS");
    char *text = strdup(given ? given : ""), *rest = text;
    bool good = text != NULL;

    n_points = 0;
    for (char *one; good && (one = strsep(&rest, ",")) != NULL;) {
        if (!*one)
            continue;
        good = n_points < POINTS_MAX && read_point(one, &points[n_points]);
        n_points += good;
    }
    if (!good)
        fprintf(errors,
                "REEVE_FAILPOINTS: not a list of at most %d name[:count][=exit|stall|error]\n",
                POINTS_MAX);
    rv_failpoints_armed = good && n_points > 0;
    free(text);
    return good;
}

static rv_result breaks(struct rv_ctx *cx, const struct point *point)
{
    switch (point->action) {
    case ACTION_EXIT:
        kill(getpid(), SIGKILL);
        for (;;)
            pause();
    case ACTION_STALL:
        for (;;)
            pause();
    case ACTION_ERROR:
        break;
    }
    return rv_fail(cx, RV_UNAVAILABLE, "failpoint %s", point->name);
}

rv_result rv_failpoint_hit(struct rv_ctx *cx, const char *name)
{
    for (size_t i = 0; i < n_points; i++)
        if (strcmp(points[i].name, name) == 0 && atomic_fetch_sub(&points[i].left, 1) == 1)
            return breaks(cx, &points[i]);
    return RV_OK;
}

rv_result rv_failpoint_hit_at(struct rv_ctx *cx, const char *what, const char *side)
{
    char name[NAME_SIZE];

    snprintf(name, sizeof(name), "%s.%s", what, side);
    return rv_failpoint_hit(cx, name);
}
