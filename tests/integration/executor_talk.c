#include "executor_talk.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/time.h"

/* A plan's row; its spec is JSON with @ for the web server's address. */
#define CHAIN_SPEC                                                                                 \
    "{\"name\":\"chain\",\"project\":\"p\",\"nodes\":["                                            \
    "{\"node_id\":\"a\",\"kind\":\"noop\"},"                                                       \
    "{\"node_id\":\"b\",\"kind\":\"map\",\"needs\":[\"a\"],\"map\":{\"value\":{\"who\":\"${{ "     \
    "input.who }}\",\"all\":\"Hello ${{ input.who }}\"}}},"                                        \
    "{\"node_id\":\"c\",\"kind\":\"map\",\"needs\":[\"b\"],\"map\":{\"value\":\"${{ "              \
    "steps.b.output }}\",\"checks\":[{\"name\":\"greets\",\"condition\":\"steps.b.output.all"      \
    ".contains('Hello')\"}]}}]}"
#define CHECK_SPEC                                                                                 \
    "{\"name\":\"check\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"c\",\"kind\":\"map\","        \
    "\"map\":{\"checks\":[{\"name\":\"is_two\",\"condition\":\"input.n == 2\"}]}}]}"
#define LOST_SPEC                                                                                  \
    "{\"name\":\"lost\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"c\",\"kind\":\"map\","         \
    "\"map\":{\"value\":\"${{ input.nowhere }}\"}}]}"
#define FORK_NODES                                                                                 \
    "{\"node_id\":\"look\",\"kind\":\"map\",\"map\":{\"value\":{\"left\":\"${{ input.left "        \
    "}}\"}}},"                                                                                     \
    "{\"node_id\":\"left\",\"kind\":\"map\",\"needs\":[\"look\"],\"edges\":[{\"needs\":\"look\","  \
    "\"condition\":\"steps.look.output.left\"}],\"map\":{\"value\":\"went left\"}},"               \
    "{\"node_id\":\"right\",\"kind\":\"map\",\"needs\":[\"look\"],\"edges\":[{\"needs\":\"look\"," \
    "\"condition\":\"!steps.look.output.left\"}],\"map\":{\"value\":\"went right\"}},"             \
    "{\"node_id\":\"beyond\",\"kind\":\"http\",\"needs\":[\"right\"],\"http\":{\"url\":\"@/"       \
    "beyond\"}},"                                                                                  \
    "{\"node_id\":\"never\",\"kind\":\"http\",\"needs\":[\"look\"],\"condition\":"                 \
    "\"size(string(input.left)) == 0\",\"http\":{\"url\":\"@/never\"}},"                           \
    "{\"node_id\":\"join\",\"kind\":\"map\",\"needs\":[\"left\",\"beyond\",\"never\"],\"map\":{"   \
    "\"value\":{\"left\":\"${{ steps.left.output }}\",\"beyond\":\"${{ steps.beyond.skipped }}\"," \
    "\"never\":\"${{ steps.never.skipped }}\"}}}"
#define FORK_SPEC "{\"name\":\"fork\",\"project\":\"p\",\"nodes\":[" FORK_NODES "]}"
#define IDLE(n)   "{\"node_id\":\"idle" n "\",\"kind\":\"noop\"},"
#define IDLE5(n)  IDLE(n "a") IDLE(n "b") IDLE(n "c") IDLE(n "d") IDLE(n "e")
#define LARGE_SPEC                                                                                 \
    "{\"name\":\"large\",\"project\":\"p\",\"nodes\":[" IDLE5("1") IDLE5("2") IDLE5("3")           \
        IDLE5("4") FORK_NODES "]}"
#define HTTP_SPEC                                                                                  \
    "{\"name\":\"web\",\"project\":\"p\",\"nodes\":["                                              \
    "{\"node_id\":\"read\",\"kind\":\"http\",\"http\":{\"url\":\"@/page\"}},"                      \
    "{\"node_id\":\"write\",\"kind\":\"http\",\"needs\":[\"read\"],\"http\":{\"method\":\"POST\"," \
    "\"url\":\"@/store\",\"body\":{\"text\":\"${{ steps.read.output.body }}\"},\"parse\":"         \
    "\"json\"},\"retry\":{\"max_attempts\":3,\"initial_ms\":50}}]}"
#define AGENT_SPEC                                                                                 \
    "{\"name\":\"agent\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"ask\",\"kind\":\"agent\","    \
    "\"agent\":{\"agent\":\"reader\",\"prompt\":\"What about ${{ input.topic }}?\"},"              \
    "\"retry\":{\"max_attempts\":3,\"initial_ms\":50}}],"                                          \
    "\"agents\":[{\"agent\":\"reader\",\"model\":\"fake\",\"system_prompt\":\"Answer as JSON.\","  \
    "\"tools\":[\"look\"],\"max_iterations\":5,\"max_output_tokens\":200,\"output_format\":"       \
    "\"json\"}],\"tools\":[{\"tool\":\"look\",\"description\":\"Looks something up\","             \
    "\"parameters\":{\"type\":\"object\",\"required\":[\"q\"],\"properties\":{\"q\":{\"type\":"    \
    "\"string\"}}},\"http\":{\"url\":\"@/look/{q}\"},\"effect\":\"read\"},"                        \
    "{\"tool\":\"erase\",\"description\":\"x\",\"http\":{\"url\":\"@/page\"}}]}"
#define FAN_NODE(n)                                                                                \
    "{\"node_id\":\"n" n "\",\"kind\":\"llm\",\"llm\":{\"model\":\"fake\",\"prompt\":\"Say " n     \
    "\"}}"
#define FAN_SPEC                                                                                                                        \
    "{\"name\":\"fan\",\"project\":\"p\",\"nodes\":[" FAN_NODE("0") "," FAN_NODE("1") "," FAN_NODE("2") "," FAN_NODE("3") "," FAN_NODE( \
        "4") "," FAN_NODE("5") "," FAN_NODE("6") "," FAN_NODE("7") "," FAN_NODE("8") "," FAN_NODE("9") "," FAN_NODE("10") "," FAN_NODE("11") "]}"
#define SHORT_SPEC                                                                                 \
    "{\"name\":\"short\",\"project\":\"p\",\"nodes\":[{\"node_id\":\"ask\",\"kind\":\"llm\","      \
    "\"llm\":{\"model\":\"fake\",\"prompt\":\"Hi\"},\"timeout_ms\":600,"                           \
    "\"retry\":{\"max_attempts\":3,\"initial_ms\":50}}]}"
#define SIM_SPEC                                                                                   \
    "{\"name\":\"sim\",\"project\":\"p\",\"nodes\":["                                              \
    "{\"node_id\":\"ask\",\"kind\":\"agent\",\"agent\":{\"agent\":\"reader\",\"prompt\":\"What "   \
    "is said about leases?\"}},"                                                                   \
    "{\"node_id\":\"sum\",\"kind\":\"llm\",\"needs\":[\"ask\"],\"llm\":{\"model\":\"extract-1\","  \
    "\"prompt\":\"Summarise: ${{ steps.ask.output.brief }}\"}},"                                   \
    "{\"node_id\":\"check\",\"kind\":\"map\",\"needs\":[\"ask\",\"sum\"],\"map\":{\"checks\":[{"   \
    "\"name\":\"quotes_are_real\",\"condition\":\"steps.ask.output.quotes.all(q, "                 \
    "input.page.words()"                                                                           \
    ".join(' ').contains(q.words().join(' ')))\"}]}}],"                                            \
    "\"agents\":[{\"agent\":\"reader\",\"model\":\"extract-1\",\"system_prompt\":\"Answer with "   \
    "`brief` and `quotes`.\",\"tools\":[\"look\"],\"output_format\":\"json\"}],"                   \
    "\"tools\":[{\"tool\":\"look\",\"description\":\"Looks something up\",\"parameters\":{"        \
    "\"type\":\"object\",\"required\":[\"q\"],\"properties\":{\"q\":{\"type\":\"string\"}}},"      \
    "\"http\":{\"url\":\"@/doc?q={q}\"},\"effect\":\"read\"}]}"

static const struct {
    const char *plan_id, *project_id, *spec;
} plans[] = {
    { PLAN_CHAIN, PROJECT, CHAIN_SPEC }, { PLAN_CHECK, PROJECT, CHECK_SPEC },
    { PLAN_LOST, PROJECT, LOST_SPEC },   { PLAN_FORK, PROJECT, FORK_SPEC },
    { PLAN_LARGE, PROJECT, LARGE_SPEC }, { PLAN_HTTP, PROJECT, HTTP_SPEC },
    { PLAN_AGENT, PROJECT, AGENT_SPEC }, { PLAN_SIM, PROJECT, SIM_SPEC },
    { PLAN_FAN, PROJECT, FAN_SPEC },     { PLAN_SHORT, PROJECT, SHORT_SPEC },
};

static const char furniture[] =
    "INSERT INTO projects (tenant_id, project_id, name) VALUES ('" TENANT_DEFAULT "','" PROJECT
    "','p');"
    "INSERT INTO policies (tenant_id, policy_id, name, rules) VALUES ('" TENANT_DEFAULT
    "', gen_random_uuid(), 'house',"
    "'[{\"rule\":\"no\",\"effect\":\"deny\",\"match\":{\"subject\":\"tool\",\"tool\":\"look\","
    "\"project\":\"strict\"},\"reason\":\"never here\"}]');"
    "INSERT INTO policy_epochs (tenant_id, epoch) VALUES ('" TENANT_DEFAULT "', 1);"
    "INSERT INTO budgets (tenant_id, budget_id, project_id, name, limit_microusd) VALUES"
    "('" TENANT_DEFAULT "', gen_random_uuid(), '" PROJECT "', 'purse', 100000000);";

struct stack stack;
struct rv_bus *bus;
struct rv_db_options db;
struct fake_llm *fake;

const struct fake_turn two_turns[2] = {
    { .tool = "look", .arguments = "{\"q\":\"a b/c\"}" },
    { .content = "```json\n{\"answer\":42}\n```" },
};

static char env_room[8][160];
static const char *executor_env[12];

static void add_plan(struct rv_ctx *cx, size_t i, struct rv_buf *sql)
{
    const char *spec = plans[i].spec;

    rv_buf_printf(
        sql,
        "INSERT INTO plans (tenant_id, plan_id, project_id, spec) VALUES ('" TENANT_DEFAULT
        "','%s','%s','",
        plans[i].plan_id, plans[i].project_id);
    for (; *spec; spec++)
        if (*spec == '@')
            rv_buf_printf(sql, "http://127.0.0.1:%d", fake_llm_port(fake));
        else if (*spec == '\'')
            rv_buf_text(sql, "''");
        else
            rv_buf_char(sql, *spec);
    rv_buf_text(sql, "');");
}

static bool furnish(struct rv_ctx *cx)
{
    auto_buf sql = { 0 };
    bool good;

    rv_buf_text(&sql, furniture);
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
        add_plan(cx, i, &sql);
    good = rv_db_open(cx, &db) == RV_OK && rv_db_script(cx, sql.data) == RV_OK;
    if (!good)
        fprintf(stderr, "%s\n", cx->error.text);
    rv_db_close(cx);
    return good;
}

static void set_env(void)
{
    size_t n = 0;

    snprintf(env_room[n], sizeof(env_room[n]), "REEVE_LLM_BASE_URL=%s", fake_llm_url(fake));
    n++;
    snprintf(env_room[n], sizeof(env_room[n]), "REEVE_HTTP_ALLOW=127.0.0.1:%d",
             fake_llm_port(fake));
    n++;
    snprintf(env_room[n++], sizeof(env_room[0]), "REEVE_EXECUTOR_SLOTS=4");
    snprintf(env_room[n++], sizeof(env_room[0]), "REEVE_DRAIN_TIMEOUT=4s");
    for (size_t i = 0; i < n; i++)
        executor_env[i] = env_room[i];
}

int open_suite(void **state)
{
    static const char *const env[] = { "REEVE_LEASE=1500ms", "REEVE_SWEEP=100ms", NULL };
    static const char *const names[] = { "policy", "budget", "scheduler" };
    struct stack_service *services[3];
    struct rv_ctx cx;
    bool good;

    fake = fake_llm_start(0, NULL, 0);
    if (!fake || !stack_start(&stack, STACK_ALL))
        return -1;
    set_env();
    rv_ctx_init(&cx);
    db = (struct rv_db_options){ .url = stack.postgres_url, .name = "test", RV_DB_DEFAULTS };
    if (!furnish(&cx))
        return -1;
    for (size_t i = 0; i < 3; i++)
        services[i] = stack_service_start(&stack, names[i], env);
    for (size_t i = 0; i < 3; i++)
        if (!services[i] || !stack_service_wait_ready(services[i]))
            return -1;
    stack.failed = true; /* until all is well */
    good = rv_bus_open(&cx, &(struct rv_bus_options){ .url = stack.nats_url, .name = "test" },
                       &bus) == RV_OK;
    rv_ctx_release(&cx);
    return good ? 0 : -1;
}

int close_suite(void **state)
{
    rv_bus_close(bus);
    stack_stop(&stack);
    fake_llm_stop(fake);
    return 0;
}

/* One that has ended, to be used again: a stack has room for so many only. */
static struct stack_service *find_ended(void)
{
    for (size_t i = 0; i < stack.n_services; i++)
        if (strcmp(stack.services[i].name, "executor") == 0 && stack.services[i].pid == 0)
            return &stack.services[i];
    return NULL;
}

struct stack_service *start_executor(const char *extra)
{
    static const char *envs[64][14]; /* the stack keeps them */
    static size_t used;
    const char **env = envs[used++];
    struct stack_service *service = find_ended();
    size_t n = 0;

    for (; executor_env[n]; n++)
        env[n] = executor_env[n];
    env[n] = extra;
    if (service) {
        service->env = env;
        assert_true(stack_service_restart(&stack, service));
    } else {
        service = stack_service_start(&stack, "executor", env);
    }
    assert_non_null(service);
    assert_true(stack_service_wait_ready(service));
    return service;
}

const char *create(struct rv_ctx *cx, const char *plan_id, const char *input)
{
    struct run_ask ask = { .tenant_id = TENANT_DEFAULT,
                           .run_id = rv_id_new(cx),
                           .project_id = PROJECT,
                           .plan_id = plan_id,
                           .input = input };
    struct run_answer answer = { 0 };

    assert_ok(cx, rv_bus_ask_many(cx, bus, &SUBJ_RUN_CREATE, &ask, 1, &answer, 5000));
    if (answer.verdict != ADMIT_CREATED)
        fail_msg("the run was not created: %s", answer.reason);
    return ask.run_id;
}

struct run read_run(struct rv_ctx *cx, const char *run_id)
{
    static const struct rv_sql sql = { "test_run",
                                       "SELECT run_id, state, phase, output, error, cost_microusd, "
                                       "tokens_in, tokens_out FROM runs "
                                       "WHERE run_id = $1",
                                       { { "run_id", false } },
                                       1,
                                       0 };
    struct task_ref key = { .run_id = run_id };
    struct run run = { 0 };

    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_one(cx, &sql, rv_in(task_ref, &key), rv_out(run, &run)));
    rv_db_rollback(cx);
    rv_db_close(cx);
    return run;
}

int64_t number(struct rv_ctx *cx, const char *sql_text)
{
    struct rv_sql sql = { .name = "test_number", .text = sql_text };
    struct task_ref got = { 0 };

    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_one(cx, &sql, rv_nothing, rv_out(task_ref, &got)));
    rv_db_rollback(cx);
    rv_db_close(cx);
    return got.task_no;
}

int64_t number_of(struct rv_ctx *cx, const char *sql_text, const char *run_id)
{
    return number(cx, rv_printf(cx, "%s run_id = '%s'", sql_text, run_id));
}

int64_t calls_of(struct rv_ctx *cx, const char *run_id)
{
    return number_of(cx, "SELECT count(*) AS task_no FROM run_steps WHERE", run_id);
}

void script_sql(struct rv_ctx *cx, const char *text)
{
    assert_ok(cx, rv_db_open(cx, &db));
    assert_ok(cx, rv_db_script(cx, text));
    rv_db_close(cx);
}

struct run wait_for(struct rv_ctx *cx, const char *run_id, enum run_state state)
{
    struct run run = { 0 };

    for (int i = 0; i < 300; i++, rv_sleep_ms(50)) {
        run = read_run(cx, run_id);
        if (run.state == state)
            return run;
        if (run_is_over(run.state))
            break;
    }
    fail_msg("the run is %s: %s", rv_enum_word(&run_state_enum, (int)run.state),
             run.error ? run.error : "no error");
    return run;
}

void wait_asked(size_t n)
{
    for (int i = 0; i < 200 && fake_llm_asked(fake) < n; i++)
        rv_sleep_ms(20);
    assert_true(fake_llm_asked(fake) >= n);
}
