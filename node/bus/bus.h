/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The bus of a node: commands in, answers and events out, on this machine only.
 * It owns two sockets in the home and the calls not yet answered. It never trusts what comes:
 * whatever is no request of the table is answered by an error, or counted and dropped.
 */
#pragma once

#include "node/bus/command.h"
#include "node/cli/language.h"

typedef struct Bus Bus;

/* Calls waiting for their answer at once; one more is refused. */
#define BUS_CALLS_MAX 256

/* Binds; the host is given to every handler. NULL with an error. */
Bus *bus_create(const char *home, Host *host, GError **error);
/* Publishes {"event": name, "number": n, ...members of `object`}; takes the builder, still open. */
void bus_publish(Bus *bus, const char *event, JsonBuilder *builder);
/* Somebody follows the events. */
gboolean bus_is_heard(const Bus *bus);
/* Of the last event; they rise by one. */
guint64 bus_number(const Bus *bus);
guint64 bus_refused(const Bus *bus);
/* Answers and events that did not leave. */
guint64 bus_dropped(const Bus *bus);
/* Closes; calls not answered are forgotten. NULL-safe. */
void bus_destroy(Bus *bus);

/* ---- the other faces of this process: as at the sockets, without them ---- */

typedef struct {
    /* Gets each body, as the socket would: progress, then the answer, then nothing more. */
    void (*answer)(GBytes *body, gpointer user);
    void (*release)(gpointer user);   /* once, when nothing more comes, perhaps without an answer */
    gboolean (*waits)(gpointer user); /* whether anybody is still there; NULL: always */
    gpointer user;
    gint64 id;    /* of the asker's, told in each body */
    int file;     /* what a command reads instead of the file it names, closed here; -1: none */
    guint64 size; /* of that, bytes */
} BusAsker;

/* Asks what a request at the socket asks; perhaps it is answered on return. */
void bus_ask(Bus *bus, GBytes *request, const BusAsker *asker);

typedef void (*BusListener)(guint64 number, GBytes *event, gpointer data);
/* From now on each event is told to it too; one listener, NULL: none. */
void bus_listen(Bus *bus, BusListener listener, gpointer data);

/* ---- a call: owned by its handler until one of the two answers, which free it ---- */

/* What was asked, checked against the table. Borrowed. */
JsonObject *bus_call_arguments(BusCall *call);
/* What the asker gave to be read, the caller's now, and its size; -1: the arguments name it. */
int bus_call_file(BusCall *call, guint64 *ret_size);
/* In which language whoever asked reads: what the request says, else the node's own. */
Language bus_call_language(BusCall *call);
/* Answers; takes `result`, NULL for {}. */
void bus_call_reply(BusCall *call, JsonNode *result);
/* Refuses, in a sentence for a person: `format` is its English, said in the asker's language. */
void bus_call_refuse(BusCall *call, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same, with a word for programs beside it: "reason". */
void bus_call_refuse_for(BusCall *call, const char *reason, const char *text);
/* The same with a sentence that was kept: its English, or any other text, which stays as it is. */
void bus_call_refuse_text(BusCall *call, const char *text);
/* Says that the work goes on: `done` of `total`; the call stays open. */
void bus_call_progress(BusCall *call, guint64 done, guint64 total);
/*
 * Whether somebody still waits for the answer: a program that was killed, or a page that was
 * closed, does not. Tells who does that the work goes on.
 */
gboolean bus_call_is_awaited(BusCall *call);
/* Says how loud it is now, dB of full scale; the call stays open. */
void bus_call_meter(BusCall *call, gint rms_db, gint peak_db);
/* Says in a sentence what goes on; the call stays open. */
void bus_call_say(BusCall *call, const char *text);
