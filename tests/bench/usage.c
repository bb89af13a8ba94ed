#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/text.h"
#include "runtime/json.h"

enum { FILE_BYTES = 16384, PROCESSES_MAX = 8192, DEPTH_MAX = 16 };

struct process {
    int64_t pid, parent, dead_children_ns;
};

/* Terminated; false when there is no such file any more. */
static bool read_file(const char *path, char *into, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, into, size - 1);

    if (fd >= 0)
        close(fd);
    into[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* pid (name, maybe with blanks) state ppid … cutime is field 16, cstime 17. */
static bool read_process(const char *pid, struct process *process)
{
    char path[64], text[1024], *at;
    long long children, system;
    int parent;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    if (!read_file(path, text, sizeof(text)) || !(at = strrchr(text, ')')))
        return false;
    if (sscanf(at + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lld %lld", &parent,
               &children, &system) != 3)
        return false;
    *process = (struct process){ atoll(pid), parent,
                                 (children + system) * (1000000000LL / sysconf(_SC_CLK_TCK)) };
    return true;
}

static size_t read_processes(struct process *processes)
{
    DIR *proc = opendir("/proc");
    size_t n = 0;

    for (struct dirent *entry; proc && n < PROCESSES_MAX && (entry = readdir(proc)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &processes[n]))
            n++;
    if (proc)
        closedir(proc);
    return n;
}

/* The threads alive, to the nanosecond: ticks of 10 ms would be too coarse for an idle system. */
static int64_t threads_ns(int64_t pid)
{
    char path[64], file[340], text[128];
    struct dirent *entry;
    int64_t sum = 0;
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%" PRId64 "/task", pid);
    tasks = opendir(path);
    while (tasks && (entry = readdir(tasks)) != NULL) {
        snprintf(file, sizeof(file), "%s/%s/schedstat", path, entry->d_name);
        if (entry->d_name[0] != '.' && read_file(file, text, sizeof(text)))
            sum += strtoll(text, NULL, 10);
    }
    if (tasks)
        closedir(tasks);
    return sum;
}

static double pss_mib_of(int64_t pid)
{
    char path[64], text[2048];
    const char *pss;

    snprintf(path, sizeof(path), "/proc/%" PRId64 "/smaps_rollup", pid);
    if (!read_file(path, text, sizeof(text)) || !(pss = strstr(text, "\nPss:")))
        return 0;
    return (double)strtoll(pss + 5, NULL, 10) / 1024;
}

static bool descends(const struct process *processes, size_t n, int64_t pid, int64_t ancestor)
{
    for (int depth = 0; pid > 1 && depth < DEPTH_MAX; depth++) {
        size_t i = 0;

        if (pid == ancestor)
            return true;
        while (i < n && processes[i].pid != pid)
            i++;
        if (i == n)
            return false;
        pid = processes[i].parent;
    }
    return false;
}

static void add_up(struct usage_row *row, const struct process *processes, size_t n, bool memory)
{
    for (size_t i = 0; i < n; i++) {
        if (!descends(processes, n, processes[i].pid, row->pid))
            continue;
        row->cpu_ns += threads_ns(processes[i].pid) + processes[i].dead_children_ns;
        if (memory)
            row->pss_mib += pss_mib_of(processes[i].pid);
    }
}

static rv_result read_programs(struct rv_ctx *cx, const char *data, json_t **rows)
{
    char *text = rv_new_array(cx, char, FILE_BYTES);
    const char *path = rv_printf(cx, "%s/programs", data);

    if (!read_file(path, text, FILE_BYTES))
        return rv_fail(cx, RV_NOT_FOUND, "%s is not there: nothing runs on it", path);
    RV_TRY(cx, rv_json_parse(cx, text, strlen(text), "the list of programs", rows));
    return RV_OK;
}

static int64_t driver_ns(void)
{
    struct rusage own;

    getrusage(RUSAGE_SELF, &own);
    return (own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000000000LL +
           (own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1000LL;
}

rv_result usage_read(struct rv_ctx *cx, const char *data, bool with_memory, struct usage *usage)
{
    struct process *processes = rv_new_array(cx, struct process, PROCESSES_MAX);
    json_t *rows, *row;
    size_t n, i;

    RV_TRY(cx, read_programs(cx, data, &rows));
    *usage = (struct usage){ 0 };
    n = read_processes(processes);
    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        struct usage_row *to = &usage->rows[usage->n];

        if (!name || usage->n == USAGE_MAX)
            continue;
        *to = (struct usage_row){ .name = name,
                                  .pid = json_integer_value(json_object_get(row, "pid")),
                                  .is_service = !rv_text_same(name, "postgres") &&
                                                !rv_text_same(name, "nats") };
        add_up(to, processes, n, with_memory);
        usage->n++;
    }
    usage->driver_ns = driver_ns();
    return RV_OK;
}

double usage_cpu_ms(const struct usage *before, const struct usage *after, bool services_only)
{
    int64_t sum_ns = 0;

    for (size_t i = 0; i < after->n && i < before->n; i++)
        if (after->rows[i].is_service || !services_only)
            sum_ns += after->rows[i].cpu_ns - before->rows[i].cpu_ns;
    return (double)sum_ns / 1e6;
}
