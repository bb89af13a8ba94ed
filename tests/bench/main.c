#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"

#include "system.h"

struct workload {
    const char *name, *doc;
    bool (*measure)(struct bench *bench);
    bool alone; /* needs no system */
};

/* clang-format off */
static const struct workload workloads[] = {
    { "w1",  "3-step runs, closed loop with 16, 64 and 256 in flight", w1_closed,     false },
    { "w1o", "the same, open loop at 50 runs a second",                w1_open,       false },
    { "w2",  "one run of 1,000 parallel steps",                        w2_wide,       false },
    { "w3",  "nothing to do: memory and CPU",                          w3_idle,       false },
    { "w4",  "200 event streams",                                      w4_streams,    false },
    { "cel", "expressions, on one core; without a system",             cel_condition, true },
    { 0 },
};

static const struct option options[] = {
    { "json",       no_argument,       NULL, 'j' },
    { "seconds",    required_argument, NULL, 's' },
    { "data",       required_argument, NULL, 'd' },
    { "url",        required_argument, NULL, 'u' },
    { "port",       required_argument, NULL, 'p' },
    { "in-flight", required_argument, NULL, 'i' },
    { "statements", no_argument,       NULL, 't' },
    { "keep",       no_argument,       NULL, 'k' },
    { "help",       no_argument,       NULL, 'h' },
    { 0 },
};
/* clang-format on */

struct asked {
    const char *data, *url;
    int port;
    bool keep;
};

static int usage(FILE *out)
{
    fputs("reeve-bench [options] [workload …]: all of them when none is named\n\n", out);
    for (const struct workload *w = workloads; w->name; w++)
        fprintf(out, "  %-4s %s\n", w->name, w->doc);
    fputs("\n  --json         one JSON object a line for every figure\n"
          "  --seconds N    how long each is measured\n"
          "  --in-flight N  of w1, instead of 16, 64 and 256\n"
          "  --data DIR     use the running `reeve up` of that folder, instead of one of our own\n"
          "  --url URL      use that gateway, with the key in REEVE_API_KEY; no figures of "
          "processes\n"
          "  --port N       of our own system (any)\n"
          "  --statements   Postgres counts its statements; the dearest are shown (of our own "
          "system)\n"
          "  --keep         leave our own system's folder, with its logs\n",
          out);
    return out == stdout ? EXIT_SUCCESS : 2;
}

double bench_seconds(const struct bench *bench, double usual)
{
    return bench->seconds > 0 ? bench->seconds : usual;
}

double bench_warm_up(const struct bench *bench)
{
    return bench_seconds(bench, 10) / 2;
}

int64_t bench_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

void bench_figure(const struct bench *bench, const char *figure, double value, const char *unit,
                  int in_flight)
{
    char flight[48] = "";

    if (in_flight > 0)
        snprintf(flight, sizeof(flight), bench->json ? ",\"in_flight\":%d" : "%d in flight",
                 in_flight);
    if (bench->json)
        printf("{\"workload\":\"%s\",\"figure\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"%s}\n",
               bench->workload, figure, value, unit, flight);
    else
        printf("%-4s %-14s %-28s %12.*f %s\n", bench->workload, flight, figure, value < 10 ? 3 : 1,
               value, unit);
    fflush(stdout);
}

bool bench_sorry(const struct bench *bench, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s: ", bench->workload);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

static const struct workload *workload_of(const char *name)
{
    for (const struct workload *w = workloads; w->name; w++)
        if (strcasecmp(w->name, name) == 0)
            return w;
    return NULL;
}

static bool measure_one(struct bench *bench, const struct workload *workload)
{
    bool statements = bench->statements && !workload->alone, ok;

    bench->workload = workload->name;
    if (statements)
        system_statements_reset(bench);
    ok = workload->measure(bench);
    if (statements)
        system_statements_show(bench);
    return ok;
}

static bool measure(struct bench *bench, char **names, int n_names)
{
    bool ok = true;

    for (int i = 0; i < n_names; i++)
        ok = measure_one(bench, workload_of(names[i])) && ok;
    for (const struct workload *w = workloads; n_names == 0 && w->name; w++)
        ok = measure_one(bench, w) && ok;
    return ok;
}

static bool all_alone(char **names, int n_names)
{
    for (int i = 0; i < n_names; i++)
        if (!workload_of(names[i])->alone)
            return false;
    return n_names > 0;
}

static bool run(struct bench *bench, const struct asked *asked, char **names, int n_names)
{
    struct system own = { 0 };
    bool ok;

    if (all_alone(names, n_names))
        return measure(bench, names, n_names);
    if (asked->url)
        ok = system_at(bench, asked->url, getenv("REEVE_API_KEY"));
    else if (asked->data)
        ok = system_use(bench, asked->data);
    else
        ok = system_start(&own, bench, asked->port);
    ok = ok && system_furnish(bench) && measure(bench, names, n_names);
    system_stop(&own, asked->keep || (!ok && own.pid > 0));
    return ok;
}

static bool read_options(int argc, char **argv, struct bench *bench, struct asked *asked)
{
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'j':
            bench->json = true;
            break;
        case 's':
            bench->seconds = atof(optarg);
            break;
        case 'i':
            bench->in_flight = atoi(optarg);
            break;
        case 'd':
            asked->data = optarg;
            break;
        case 'u':
            asked->url = optarg;
            break;
        case 'p':
            asked->port = atoi(optarg);
            break;
        case 't':
            bench->statements = true;
            break;
        case 'k':
            asked->keep = true;
            break;
        case 'h':
            exit(usage(stdout));
        default:
            return false;
        }
    for (int i = optind; i < argc; i++)
        if (!workload_of(argv[i])) {
            fprintf(stderr, "there is no workload \"%s\"\n", argv[i]);
            return false;
        }
    if (bench->statements && (asked->data || asked->url)) {
        fputs("--statements goes with a system of our own only\n", stderr);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct asked asked = { 0 };
    struct rv_ctx cx;
    struct bench bench = { .cx = &cx, .workload = "bench" };
    bool ok;

    signal(SIGPIPE, SIG_IGN);
    rv_log_service("bench");
    rv_log_format(RV_LOG_TEXT);
    if (!read_options(argc, argv, &bench, &asked))
        return usage(stderr);
    rv_ctx_init(&cx);
    ok = run(&bench, &asked, argv + optind, argc - optind);
    rv_ctx_release(&cx);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
