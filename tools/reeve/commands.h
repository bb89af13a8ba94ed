#pragma once

/* Commands: the functions behind the table in commands.c, one file a noun. */

#include "cli.h"

enum rv_status command_up(struct cli *cli);
enum rv_status command_down(struct cli *cli);
enum rv_status command_ps(struct cli *cli);

enum rv_status command_migrate(struct cli *cli);
enum rv_status command_apply(struct cli *cli);

enum rv_status command_run_submit(struct cli *cli);
enum rv_status command_run_get(struct cli *cli);
enum rv_status command_run_list(struct cli *cli);
enum rv_status command_run_watch(struct cli *cli);
enum rv_status command_run_cancel(struct cli *cli);
enum rv_status command_run_tasks(struct cli *cli);
enum rv_status command_run_steps(struct cli *cli);
enum rv_status command_run_scores(struct cli *cli);
enum rv_status command_run_decision(struct cli *cli);
enum rv_status command_run_budget(struct cli *cli);
enum rv_status command_run_events(struct cli *cli);

enum rv_status command_events_watch(struct cli *cli);
enum rv_status command_approval_list(struct cli *cli);
enum rv_status command_approval_decide(struct cli *cli);
enum rv_status command_budget_show(struct cli *cli);
enum rv_status command_key_create(struct cli *cli);
enum rv_status command_key_new(struct cli *cli);
enum rv_status command_key_list(struct cli *cli);
enum rv_status command_key_revoke(struct cli *cli);

enum rv_status command_cel_eval(struct cli *cli);
enum rv_status command_cel_check(struct cli *cli);
enum rv_status command_cel_fmt(struct cli *cli);

enum rv_status command_files(struct cli *cli);
enum rv_status command_machine_draw(struct cli *cli);
enum rv_status command_version(struct cli *cli);
enum rv_status command_help(struct cli *cli);
