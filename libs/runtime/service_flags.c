#include "runtime/service_flags.h"

#include <string.h>

#include "runtime/failpoint.h"

bool rv_service_config(const struct rv_service *service, struct rv_common_config *common,
                       FILE *errors)
{
    bool good = rv_config_read(rv_common_settings(), common, errors);

    if (service->settings)
        good = rv_config_read(service->settings(), service->config, errors) && good;
    if (good && (common->workers < 1 || common->workers > 256)) {
        fprintf(errors, "REEVE_WORKERS is not between 1 and 256\n");
        good = false;
    }
    if (good && (common->queue_depth < 1 || common->queue_depth > 1000000)) {
        fprintf(errors, "REEVE_QUEUE_DEPTH is not between 1 and 1000000\n");
        good = false;
    }
    return rv_failpoints_read(errors) && good;
}

static int print_help(const struct rv_service *service)
{
    printf("reeve-%s: %s\n\n"
           "  --help             what you read\n"
           "  --version          the version\n"
           "  --print-config     the settings in force, as KEY=value\n"
           "  --list-failpoints  where REEVE_FAILPOINTS can break it\n\n"
           "Settings are environment variables; a secret may be in the file that <NAME>_FILE "
           "names.\n\n",
           service->name, service->doc);
    rv_config_describe(rv_common_settings(), stdout);
    if (service->settings)
        rv_config_describe(service->settings(), stdout);
    return 0;
}

static int print_version(const struct rv_service *service)
{
    printf("reeve-%s %s\n", service->name, REEVE_VERSION);
    return 0;
}

static int print_config(const struct rv_service *service)
{
    struct rv_common_config common;

    if (!rv_service_config(service, &common, stderr))
        return 2;
    rv_config_print(rv_common_settings(), &common, stdout);
    if (service->settings)
        rv_config_print(service->settings(), service->config, stdout);
    return 0;
}

static void print_sides(const char *prefix, const char *name)
{
    for (size_t i = 0; rv_failpoint_sides[i]; i++)
        printf("%s%s.%s\n", prefix, name, rv_failpoint_sides[i]);
}

static int print_failpoints(const struct rv_service *service)
{
    const struct rv_handler *handler = service->handlers;
    const struct rv_tick *tick = service->ticks;
    const struct rv_ear *ear = service->ears;
    const char *const *more = service->failpoints;

    for (; handler && handler->subject; handler++)
        print_sides("", handler->subject->name);
    for (; tick && tick->name; tick++)
        printf("tick.%s.begin\ntick.%s.commit.before\ntick.%s.commit.after\n", tick->name,
               tick->name, tick->name);
    for (; ear && ear->consumer; ear++) {
        print_sides("", ear->consumer->name);
        printf("%s.ack.before\n%s.ack.after\n", ear->consumer->name, ear->consumer->name);
    }
    for (const char *const *unit = service->units; unit && *unit; unit++)
        print_sides("", *unit);
    for (; more && *more; more++)
        printf("%s\n", *more);
    return 0;
}

bool rv_service_flags(int argc, char **argv, const struct rv_service *service, int *exit_code)
{
    static const struct {
        const char *flag;
        int (*print)(const struct rv_service *service);
    } flags[] = {
        { "--help", print_help },
        { "--version", print_version },
        { "--print-config", print_config },
        { "--list-failpoints", print_failpoints },
    };

    if (argc < 2)
        return false;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (strcmp(argv[1], flags[i].flag) == 0) {
            *exit_code = flags[i].print(service);
            return true;
        }
    fprintf(stderr, "reeve-%s knows no %s; see --help\n", service->name, argv[1]);
    *exit_code = 2;
    return true;
}
