/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Help and shell completion, made from the table of commands.
 * It owns their layout. It never lists a command that is not in the table.
 */
#pragma once

#include "node/bus/command.h"

/* Prints the help of one command, else of those that begin with a word, else (both NULL) of all. */
void help_print(const Command *command, const char *topic);
/* How a command is written, its options left out but for those needed. The caller frees. */
char *help_form(const Command *command);
/* Prints the completion script of bash, zsh or fish to standard output. */
void help_completion(const char *shell);
