/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One request of the bus, read: which command, with which arguments.
 * It owns what a request is; the table owns what each command takes. It never trusts a byte of it.
 */
#pragma once

#include "node/bus/command.h"
#include "node/cli/language.h"

/*
 * The command that {"command": words, "arguments": {…}} asks the node for; its arguments are as
 * the table has them, the caller's to unref. `ret_language`: what its member "language" says ("fr",
 * "en"), else the node's. NULL with a COMMAND_ERROR, nothing returned.
 */
const Command *request_read(GBytes *body, JsonObject **ret_arguments, Language *ret_language,
                            GError **error);
