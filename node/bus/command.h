/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The one table of commands: what the bus accepts, the command line parses, and help explains.
 * It owns names, arguments and their meaning. It never runs anything: a handler of the host does.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

typedef struct Host Host;
typedef struct BusCall BusCall;

/* Answers the call at once or later, exactly once. */
typedef void (*CommandHandler)(Host *host, BusCall *call);

typedef enum {
    ARGUMENT_TEXT,    /* any, but empty */
    ARGUMENT_SAID,    /* for the others to read: no control characters but tab and newline */
    ARGUMENT_LINE,    /* the same without these */
    ARGUMENT_FILE,    /* the command line makes it absolute */
    ARGUMENT_SOURCE,  /* auto, test, a file (made absolute when it exists), a description */
    ARGUMENT_COUNT,   /* a natural number */
    ARGUMENT_SECONDS, /* 90, 90s, 15m, 24h, 7d */
    ARGUMENT_LIMIT,   /* a natural number, or none: 0 */
    ARGUMENT_SIZE,    /* bytes: 0, 500k, 20M, 1G */
    ARGUMENT_WORD,    /* one of `values` */
    ARGUMENT_FLAG,
} ArgumentKind;

typedef enum {
    ARGUMENT_END = 0,
    ARGUMENT_REQUIRED, /* positional */
    ARGUMENT_OPTIONAL, /* positional */
    ARGUMENT_OPTION,   /* --name */
    ARGUMENT_NEEDED,   /* --name, not to be left out */
    ARGUMENT_LOCAL,    /* --name, for the command line alone */
} ArgumentPlace;

typedef struct {
    ArgumentPlace place; /* ARGUMENT_END ends a list */
    ArgumentKind kind;
    const char *name;
    const char *shows;  /* what stands for it in help; English, a key of language.h */
    const char *values; /* WORD: separated by `|` */
    const char *help;   /* English, a key of language.h */
    char letter;        /* -o, or 0 */
    guint bytes;        /* of text, at most; 0: as many as a request holds */
} Argument;

#define COMMAND_ARGUMENTS_MAX 12

typedef struct {
    const char *words;      /* separated by one space */
    CommandHandler handler; /* NULL: the command line does it itself */
    const char *help;
    Argument arguments[COMMAND_ARGUMENTS_MAX];
} Command;

/* The table, in the order of help; NULL past the end. */
const Command *command_at(size_t index);
/* The command of exactly these words, or NULL. */
const Command *command_find(const char *words);
/* Whether some command's words begin with this one. */
gboolean command_begins(const char *word);

/*
 * Whether the object holds exactly what the command takes, each value of its kind; unknown members
 * are refused. Any JSON may be given.
 */
gboolean command_check(const Command *command, JsonObject *arguments, GError **error);

/* "24h" → 86400; false when it is no duration of 1 s to 10 years. */
gboolean command_seconds(const char *text, gint64 *ret_seconds);

/* "20M" → 20,000,000; false when it is no size up to 1 TB. */
gboolean command_size(const char *text, gint64 *ret_bytes);

#define COMMAND_ERROR (command_error_quark())
GQuark command_error_quark(void);
typedef enum {
    COMMAND_ERROR_USAGE, /* not understood */
    COMMAND_ERROR_LONG,  /* a text is longer than its argument may be */
    COMMAND_ERROR_SIGNS, /* a text holds control characters */
} CommandError;
