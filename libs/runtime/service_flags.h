#pragma once

/* Flags that print and exit; the tables of the service are what they print. */

#include "runtime/service.h"

/* True when @argv asked for something that is printed; *@exit_code then says how it went. */
bool rv_service_flags(int argc, char **argv, const struct rv_service *service, int *exit_code);

/* Reads all settings; says everything that is wrong with them at once. */
bool rv_service_config(const struct rv_service *service, struct rv_common_config *common,
                       FILE *errors);
