/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the node remembers of itself: its key, its name, its ports, the current meeting.
 * It owns their names and forms in the store. It never keeps a copy.
 */
#pragma once

#include "node/store/store.h"

#define SETTING_SEED    "seed"    /* of the device's key */
#define SETTING_NAME    "name"    /* the person's */
#define SETTING_PORT    "port"    /* of the knocks */
#define SETTING_PAGE    "page"    /* port of the page */
#define SETTING_SESSION "session" /* what the sessions of browsers are made under */
#define SETTING_CURRENT "current" /* number of the current meeting */
#define SETTING_LEFT    "left"    /* and a dash, and a meeting's number: 1, it was left */
#define SETTING_SAVE    "save"    /* what pictures may cost, a MediaSave */
#define SETTING_RELAY   "relay"   /* 1: this home is a relay's */
#define SETTING_CEILING "ceiling" /* kbit/s that are sent at most, 0: any */

#define SETTING_RELAY_TICKET "relay-ticket" /* by which it comes to its meeting */
#define SETTING_STORE_MAX    "store-max"    /* bytes it keeps of it, in digits */

#define SETTING_MICROPHONE "microphone" /* these three: a source's words */
#define SETTING_CAMERA     "camera"
#define SETTING_SPEAKER    "speaker"

/* The number, 0 when there is none (yet); FALSE with an error. */
gboolean settings_number(Store *store, const char *name, guint *ret_number, GError **error);
/* Durable when it returns TRUE; nothing may be open in the store, or it is committed too. */
gboolean settings_set_number(Store *store, const char *name, guint number, GError **error);

/* The same of a text, NULL when there is none; the caller frees. */
gboolean settings_text(Store *store, const char *name, char **ret_text, GError **error);
gboolean settings_set_text(Store *store, const char *name, const char *text, GError **error);

/* A size in bytes, 0 when there is none. */
gboolean settings_size(Store *store, const char *name, guint64 *ret_size, GError **error);
gboolean settings_set_size(Store *store, const char *name, guint64 size, GError **error);

/* 32 random bytes of that name, drawn the first time. */
gboolean settings_secret(Store *store, const char *name, guint8 ret_secret[MESH_SEED_SIZE],
                         GError **error);
/* The seed of the device's key. */
gboolean settings_seed(Store *store, guint8 ret_seed[MESH_SEED_SIZE], GError **error);
/* `wanted`, remembered from now on, or with NULL the name remembered, or what the system calls the
 * person. The caller frees; NULL with an error. */
char *settings_name(Store *store, const char *wanted, GError **error);
