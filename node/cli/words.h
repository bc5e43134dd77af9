/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words a person typed, read by the table of commands.
 * It owns what was read. It never asks the node, prints nothing, and changes no file.
 */
#pragma once

#include "node/bus/command.h"

typedef enum {
    WORDS_COMMAND,
    WORDS_HELP, /* of `command`, else of those that begin with `topic`, else of all */
    WORDS_VERSION,
} WordsWish;

typedef struct {
    WordsWish wish;
    const Command *command;
    const char *topic;     /* a word of argv, or NULL */
    JsonObject *arguments; /* for the bus */
    JsonObject *local;     /* options for the command line alone */
    char *home;            /* as given, or NULL */
    gboolean json;
} Words;

/* Reads argv without its first word; it is to last as long. NULL with a COMMAND_ERROR. The caller
 * frees. */
Words *words_read(int count, char **argv, GError **error);
void words_free(Words *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Words, words_free)
