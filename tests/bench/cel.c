/*
 * Cel: how fast one core compiles and evaluates a condition such as policies are made of, on
 * records; and what Lua and jq make of the same condition, where they are installed. Needs no
 * system. All but jq's are seconds of the processor, so that a busy machine says much the same.
 */

#include "cel/cel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "bench.h"

enum { BATCH = 1000 }; /* between two looks at the clock */

struct bench_run {
    const char *run_id;
    double cost_usd;
};
struct bench_named {
    const char *name;
};

static const struct rv_field bench_run_fields[] = {
    RV_TEXT(bench_run, run_id, 0),
    RV_DOUBLE(bench_run, cost_usd, 0),
};
static const struct rv_field bench_named_fields[] = { RV_TEXT(bench_named, name, 0) };
static RV_RECORD(bench_run, bench_run_fields);
static RV_RECORD(bench_named, bench_named_fields);

/* With these values all of it is looked at. */
static const struct bench_run run = { "r1", 1.25 };
static const struct bench_named agent = { "b" }, tool = { "http.get" };
static const char condition[] =
    "run.cost_usd < 5.0 && agent.name in [\"a\",\"b\"] && !tool.name.startsWith(\"shell\")";

/* Others' ways to say it. A program prints the nanoseconds of an evaluation, and, if it can tell,
 * the microseconds of a compilation. */
/* clang-format off */
static const struct yardstick {
    const char *name, *command;
} yardsticks[] = {
    { "lua5.4",
      "lua5.4 -e 'run, agent, tool = {cost_usd = 1.25}, {name = \"b\"}, {name = \"http.get\"} "
      "local text = [[return run.cost_usd < 5.0 and (agent.name == \"a\" or agent.name == \"b\") "
      "               and not (tool.name:sub(1, 5) == \"shell\")]] "
      "local holds, n, began = load(text), 1000000, os.clock() "
      "for i = 1, n do if not holds() then os.exit(1) end end "
      "local each = (os.clock() - began) / n * 1e9 "
      "n, began = 20000, os.clock() "
      "for i = 1, n do load(text) end "
      "print(each, (os.clock() - began) / n * 1e6)' 2>&1" },
    { "jq",
      "jq -n '{run: {cost_usd: 1.25}, agent: {name: \"b\"}, tool: {name: \"http.get\"}} as $facts "
      "| [range(3) | now as $began "
      "| [range(100000)] | map($facts | .run.cost_usd < 5.0 and (.agent.name | IN(\"a\", \"b\")) "
      "                        and (.tool.name | startswith(\"shell\") | not)) "
      "| if all then (now - $began) / 100000 * 1e9 else error(\"false\") end] | min' 2>&1" },
};
/* clang-format on */

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool compile_often(struct bench *bench, const struct cel_env *env, double seconds)
{
    double began = cpu_seconds(), spent = 0;
    const struct cel_program *program;
    struct rv_ctx cx;
    double n = 0;

    rv_ctx_init(&cx);
    for (; spent < seconds; spent = cpu_seconds() - began)
        for (int i = 0; i < BATCH; i++, n++) {
            rv_ctx_reset(&cx);
            if (cel_compile(&cx, env, condition, strlen(condition), &program) != RV_OK) {
                bench_sorry(bench, "%s", cx.error.text);
                rv_ctx_release(&cx);
                return false;
            }
        }
    rv_ctx_release(&cx);
    bench_figure(bench, "compile_us", spent / n * 1e6, "us", 0);
    return true;
}

/* Binds anew, as whoever is asked does for every question. */
static bool holds(struct rv_ctx *cx, const struct cel_program *program)
{
    struct cel_map maps[3];
    const struct cel_value values[] = {
        cel_record_in(&maps[0], &bench_run_record, &run),
        cel_record_in(&maps[1], &bench_named_record, &agent),
        cel_record_in(&maps[2], &bench_named_record, &tool),
    };
    struct cel_value value = cel_eval(cx, program, values);

    return value.kind == CEL_BOOL && value.truth;
}

static bool evaluate_often(struct bench *bench, const char *of, const struct cel_program *program,
                           double seconds)
{
    double began = cpu_seconds(), spent = 0, n = 0;
    bool ok = true;
    char figure[64];
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    for (; spent < seconds && ok; spent = cpu_seconds() - began)
        for (int i = 0; i < BATCH && ok; i++, n++) {
            rv_ctx_reset(&cx);
            ok = holds(&cx, program);
        }
    rv_ctx_release(&cx);
    if (!ok)
        return bench_sorry(bench, "the condition does not hold");
    snprintf(figure, sizeof(figure), "evaluations_per_s%s", of);
    bench_figure(bench, figure, n / spent, "1/s", 0);
    snprintf(figure, sizeof(figure), "ns_per_evaluation%s", of);
    bench_figure(bench, figure, spent / n * 1e9, "ns", 0);
    return true;
}

static bool measure_in(struct bench *bench, const char *of, const struct cel_env *env,
                       double seconds)
{
    const struct cel_program *program;

    if (cel_compile(bench->cx, env, condition, strlen(condition), &program) != RV_OK)
        return bench_sorry(bench, "%s", bench->cx->error.text);
    return evaluate_often(bench, of, program, seconds);
}

/* What is not installed, or is another make of itself, gives no figure; that is no failure. */
static void measure_yardstick(struct bench *bench, const struct yardstick *yardstick)
{
    FILE *child = popen(yardstick->command, "r");
    char text[200] = "", figure[64];
    double ns = 0, us = 0;
    int n = 0, status;

    if (child && fgets(text, sizeof(text), child))
        n = sscanf(text, "%lf %lf", &ns, &us);
    status = child ? pclose(child) : -1;
    if (status != 0 || n < 1) {
        bool missing = status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 127;

        bench_sorry(bench, "%s is left out: %s", yardstick->name,
                    missing ? "it is not installed" : text);
        return;
    }
    snprintf(figure, sizeof(figure), "ns_per_evaluation_%s", yardstick->name);
    bench_figure(bench, figure, ns, "ns", 0);
    snprintf(figure, sizeof(figure), "compile_us_%s", yardstick->name);
    if (n > 1)
        bench_figure(bench, figure, us, "us", 0);
}

bool cel_condition(struct bench *bench)
{
    const struct cel_type *of_run = cel_type_record(bench->cx, &bench_run_record);
    const struct cel_type *of_named = cel_type_record(bench->cx, &bench_named_record);
    const struct cel_variable typed[] = {
        { "run", of_run }, { "agent", of_named }, { "tool", of_named }, { 0 }
    };
    const struct cel_variable dyn[] = {
        { "run", NULL }, { "agent", NULL }, { "tool", NULL }, { 0 }
    };
    const struct cel_env known = { .variables = typed }, unknown = { .variables = dyn };
    double seconds = bench_seconds(bench, 3) / 3;
    bool ok;

    ok = measure_in(bench, "", &known, seconds) && measure_in(bench, "_dyn", &unknown, seconds) &&
         compile_often(bench, &known, seconds);
    for (size_t i = 0; ok && i < sizeof(yardsticks) / sizeof(yardsticks[0]); i++)
        measure_yardstick(bench, &yardsticks[i]);
    return ok;
}
