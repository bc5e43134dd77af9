/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The command line: reads words, asks the node of a home over its bus, prints the answer.
 * It owns exit statuses and where the home is. It never touches the home's files itself.
 */
#pragma once

#include "node/cli/words.h"

typedef enum {
    CLI_DONE = 0,
    CLI_REFUSED = 1,
    CLI_USAGE = 2,
    CLI_NO_NODE = 3,
} CliStatus;

/* Runs a node in this process until it is told to end; the meaning of `start`. `json`: what it says
 * when it is ready is a JSON document. */
typedef CliStatus (*CliStart)(const char *home, JsonObject *options, gboolean json);

/* The whole program. */
CliStatus cli_run(int argc, char **argv, CliStart start);
