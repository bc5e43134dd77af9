/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the command line prints of an answer, for a person.
 * It owns the layout of each command's text. It never asks anything, and changes no value.
 */
#pragma once

#include <json-glib/json-glib.h>

/* Prints the answer of a command of the table to standard output. */
void print_answer(const char *command, JsonNode *answer);
/* Prints it on one line, at once. */
void print_json(JsonNode *node);
/* Prints one message on one line (more when its text has several). */
void print_message(JsonObject *message);
/* Prints text, and blanks to fill the column: what others write is counted as it is seen. */
void print_column(const char *text, int width);
/* What another person wrote, unable to steer a terminal. The caller frees. */
char *print_harmless(const char *text);
/* The same, on one line and cut to so many letters. The caller frees. */
char *print_short(const char *text, glong letters);
/* With one decimal, as the language writes it. The caller frees. */
char *print_tenths(double value);
/* Columns of a terminal that the text takes. */
int print_width(const char *text);
/* Of the terminal that is printed on; 0: it is none, or nothing is known of it. */
int print_columns(void);
int print_rows(void);
/* Prints text as a QR code; FALSE when it is too long for one. */
gboolean print_qr(const char *text);
/* The same for who draws it: a line of 0 (light) and 1 a row. NULL when too long. Caller frees. */
char *print_qr_rows(const char *text);
