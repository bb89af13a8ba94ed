#include "support/rv_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/metrics.h"

#define TEST_METRICS(X)                                                                            \
    X(COUNTER, CAKES, "test_cakes_total", "cakes that were made")                                  \
    X(GAUGE, OVENS, "test_ovens", "ovens that are hot")
RV_METRICS(test_metric, TEST_METRICS)

static char *print(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    rv_metrics_print("test", test_metric_rows, out);
    fclose(out);
    return text;
}

static void shows_every_row_with_what_it_is(void **state)
{
    char *text;

    rv_count(&test_metric_rows[CAKES], 3);
    rv_count(&test_metric_rows[OVENS], -2);
    text = print();
    assert_non_null(strstr(text, "# HELP test_cakes_total cakes that were made\n"
                                 "# TYPE test_cakes_total counter\n"
                                 "test_cakes_total 3\n"));
    assert_non_null(strstr(text, "# TYPE test_ovens gauge\ntest_ovens -2\n"));
    assert_non_null(strstr(text, "reeve_info{service=\"test\"} 1\n"));
    assert_non_null(strstr(text, "process_resident_memory_bytes "));
    free(text);
}

static void puts_each_unit_in_its_bucket_and_sums_upwards(void **state)
{
    struct rv_meter *meter = rv_meter_new("reeve.test.bake");
    char *text;

    rv_meter_add(meter, 5, 100000, NULL);            /* 0.1 ms */
    rv_meter_add(meter, 1, 3000000, "unavailable");  /* 3 ms */
    rv_meter_add(meter, 1, 60 * 1000000000LL, NULL); /* a minute: above all */
    text = print();
    assert_non_null(strstr(text, "{what=\"reeve.test.bake\",le=\"0.0002\"} 1\n"));
    assert_non_null(strstr(text, "{what=\"reeve.test.bake\",le=\"0.002\"} 1\n"));
    assert_non_null(strstr(text, "{what=\"reeve.test.bake\",le=\"0.005\"} 2\n"));
    assert_non_null(strstr(text, "{what=\"reeve.test.bake\",le=\"10\"} 2\n"));
    assert_non_null(strstr(text, "{what=\"reeve.test.bake\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "reeve_work_seconds_count{what=\"reeve.test.bake\"} 3\n"));
    assert_non_null(strstr(text, "reeve_work_items_total{what=\"reeve.test.bake\"} 7\n"));
    assert_non_null(strstr(text, "reeve_work_failures_total{what=\"reeve.test.bake\"} 1\n"));
    assert_string_equal(atomic_load(&meter->last_error), "unavailable");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RV_TEST(shows_every_row_with_what_it_is),
        RV_TEST(puts_each_unit_in_its_bucket_and_sums_upwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
