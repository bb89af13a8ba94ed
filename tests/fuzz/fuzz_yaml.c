/* Any bytes are YAML or refused; what is YAML becomes JSON that parses, of bounded size. */

#include <stdlib.h>
#include <string.h>

#include "runtime/json.h"
#include "runtime/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rv_yaml *documents;
    struct rv_ctx cx;
    int line, column;
    size_t n;

    rv_ctx_init(&cx);
    if (rv_yaml_read(&cx, (const char *)bytes, len, &documents, &n) == RV_OK) {
        for (size_t i = 0; i < n; i++) {
            json_t *json;

            if (rv_json_parse(&cx, documents[i].json, strlen(documents[i].json), "yaml", &json) !=
                RV_OK)
                abort();
        }
        if (rv_yaml_where(&cx, (const char *)bytes, len, 0, "a[1].b", &line, &column) != RV_OK ||
            (n > 0) != (line > 0))
            abort();
    }
    rv_ctx_release(&cx);
    return 0;
}
