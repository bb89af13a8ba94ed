/*
 * bench-cel: how fast one core compiles and evaluates the condition that policies are made of, on
 * records. `tools/dev bench cel` runs it from a release build; --seconds says how long each
 * figure may take.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cel/cel.h"

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

static const char condition[] =
    "run.cost_usd < 5.0 && agent.name in [\"a\",\"b\"] && !tool.name.startsWith(\"shell\")";

static void fail(const char *what)
{
    fprintf(stderr, "bench-cel: %s\n", what);
    exit(1);
}

static double compile_us(const struct cel_env *env, double seconds)
{
    int64_t start = rv_monotonic_ns(), ns;
    const struct cel_program *program;
    struct rv_ctx cx;
    int64_t n = 0;

    rv_ctx_init(&cx);
    do {
        if (cel_compile(&cx, env, condition, strlen(condition), &program) != RV_OK)
            fail(cx.error.text);
        rv_ctx_reset(&cx);
        n++;
        ns = rv_monotonic_ns() - start;
    } while ((double)ns < seconds * 1e9);
    rv_ctx_release(&cx);
    return (double)ns / 1e3 / (double)n;
}

/* Each evaluation binds anew, as a policy does for every call. */
static bool evaluate(struct rv_ctx *cx, const struct cel_program *program)
{
    const struct bench_run run = { "r1", 1.25 };
    const struct bench_named agent = { "b" }, tool = { "http.get" };
    struct cel_map maps[3];
    const struct cel_value values[] = {
        cel_record_in(&maps[0], &bench_run_record, &run),
        cel_record_in(&maps[1], &bench_named_record, &agent),
        cel_record_in(&maps[2], &bench_named_record, &tool),
    };
    struct cel_value value = cel_eval(cx, program, values);

    return value.kind == CEL_BOOL && value.truth;
}

static double evaluations_a_second(const struct cel_env *env, double seconds)
{
    const struct cel_program *program;
    struct rv_ctx cx, work;
    int64_t start, ns, n = 0;

    rv_ctx_init(&cx);
    rv_ctx_init(&work);
    if (cel_compile(&cx, env, condition, strlen(condition), &program) != RV_OK)
        fail(cx.error.text);
    start = rv_monotonic_ns();
    do {
        for (int i = 0; i < 1000; i++) {
            if (!evaluate(&work, program))
                fail("the condition does not hold");
            rv_ctx_reset(&work);
        }
        n += 1000;
        ns = rv_monotonic_ns() - start;
    } while ((double)ns < seconds * 1e9);
    rv_ctx_release(&work);
    rv_ctx_release(&cx);
    return (double)n * 1e9 / (double)ns;
}

int main(int argc, char **argv)
{
    double seconds = argc == 3 && strcmp(argv[1], "--seconds") == 0 ? strtod(argv[2], NULL) : 1;
    const struct cel_variable dyn[] = {
        { "run", NULL }, { "agent", NULL }, { "tool", NULL }, { 0 }
    };
    struct cel_variable typed[4] = { { "run", NULL }, { "agent", NULL }, { "tool", NULL } };
    struct cel_env loose = { .variables = dyn }, strict = { .variables = typed };
    struct rv_ctx cx;

    rv_ctx_init(&cx);
    typed[0].type = cel_type_record(&cx, &bench_run_record);
    typed[1].type = typed[2].type = cel_type_record(&cx, &bench_named_record);
    printf("%s\n", condition);
    printf("compile                  %8.1f us\n", compile_us(&strict, seconds));
    printf("evaluate, known records  %8.0f a second\n", evaluations_a_second(&strict, seconds));
    printf("evaluate, any values     %8.0f a second\n", evaluations_a_second(&loose, seconds));
    rv_ctx_release(&cx);
    return 0;
}
