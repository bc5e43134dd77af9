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
 * the table has them, the caller's to unref. `ret_language`: that of the request, also when it is
 * refused. NULL with a COMMAND_ERROR in that language, no arguments returned.
 */
const Command *request_read(GBytes *body, JsonObject **ret_arguments, Language *ret_language,
                            GError **error);
/* What its member "language" says ("fr", "en"), else the node's. */
Language request_body_language(GBytes *body);
