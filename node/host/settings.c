/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/settings.h"

#include <sodium.h>
#include <string.h>

#include "node/cli/language.h"
#include "node/host/host.h"

gboolean settings_number(Store *store, const char *name, guint *ret_number, GError **error) {
    GError *failure = NULL;
    g_autoptr(GBytes) value = store_setting(store, name, &failure);
    guint32 little = 0;
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (value != NULL && g_bytes_get_size(value) == sizeof little) {
        memcpy(&little, g_bytes_get_data(value, NULL), sizeof little);
    }
    *ret_number = GUINT32_FROM_LE(little);
    return TRUE;
}

gboolean settings_set_number(Store *store, const char *name, guint number, GError **error) {
    guint32 little = GUINT32_TO_LE(number);
    g_autoptr(GBytes) value = g_bytes_new(&little, sizeof little);
    return store_set_setting(store, name, value, error);
}

gboolean settings_text(Store *store, const char *name, char **ret_text, GError **error) {
    GError *failure = NULL;
    g_autoptr(GBytes) value = store_setting(store, name, &failure);
    gsize length = 0;
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    const char *text = value != NULL ? g_bytes_get_data(value, &length) : NULL;
    *ret_text =
        length > 0 && g_utf8_validate_len(text, length, NULL) ? g_strndup(text, length) : NULL;
    return TRUE;
}

gboolean settings_set_text(Store *store, const char *name, const char *text, GError **error) {
    g_autoptr(GBytes) value = g_bytes_new(text, strlen(text));
    return store_set_setting(store, name, value, error);
}

gboolean settings_size(Store *store, const char *name, guint64 *ret_size, GError **error) {
    g_autofree char *digits = NULL;
    if (!settings_text(store, name, &digits, error)) {
        return FALSE;
    }
    *ret_size = digits != NULL ? g_ascii_strtoull(digits, NULL, 10) : 0;
    return TRUE;
}

gboolean settings_set_size(Store *store, const char *name, guint64 size, GError **error) {
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, size);
    return settings_set_text(store, name, digits, error);
}

gboolean settings_secret(Store *store, const char *name, guint8 ret_secret[MESH_SEED_SIZE],
                         GError **error) {
    GError *failure = NULL;
    g_autoptr(GBytes) value = store_setting(store, name, &failure);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (value != NULL && g_bytes_get_size(value) == MESH_SEED_SIZE) {
        memcpy(ret_secret, g_bytes_get_data(value, NULL), MESH_SEED_SIZE);
        return TRUE;
    }
    randombytes_buf(ret_secret, MESH_SEED_SIZE);
    g_autoptr(GBytes) drawn = g_bytes_new(ret_secret, MESH_SEED_SIZE);
    return store_set_setting(store, name, drawn, error);
}

gboolean settings_seed(Store *store, guint8 ret_seed[MESH_SEED_SIZE], GError **error) {
    return settings_secret(store, SETTING_SEED, ret_seed, error);
}

static gboolean is_name(const char *name) {
    gsize length = strlen(name);
    if (length == 0 || length > MESH_NAME_MAX || !g_utf8_validate(name, -1, NULL)) {
        return FALSE;
    }
    for (const char *at = name; *at != '\0'; at = g_utf8_next_char(at)) {
        if (g_unichar_iscntrl(g_utf8_get_char(at))) {
            return FALSE;
        }
    }
    return TRUE;
}

/* What the system calls the person. */
static const char *name_of_system(void) {
    const char *names[] = {g_get_real_name(), g_get_user_name(), "Maillon"};
    gsize i = 0;
    while (!is_name(names[i]) || strcmp(names[i], "Unknown") == 0) {
        i++;
    }
    return names[i];
}

char *settings_name(Store *store, const char *wanted, GError **error) {
    GError *failure = NULL;
    g_autoptr(GBytes) value = store_setting(store, SETTING_NAME, &failure);
    g_autofree char *stored = NULL;
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    if (value != NULL) {
        gsize length = 0;
        const char *bytes = g_bytes_get_data(value, &length);
        stored = g_strndup(bytes, length);
    }
    if (wanted != NULL && !is_name(wanted)) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_NAME,
                    _("“%s” is no good as a name: 1 to %d bytes of text, on one line"), wanted,
                    MESH_NAME_MAX);
        return NULL;
    }
    if (stored != NULL && is_name(stored) && (wanted == NULL || strcmp(wanted, stored) == 0)) {
        return g_steal_pointer(&stored);
    }
    char *name = g_strdup(wanted != NULL ? wanted : name_of_system());
    g_autoptr(GBytes) bytes = g_bytes_new(name, strlen(name));
    if (!store_set_setting(store, SETTING_NAME, bytes, error)) {
        g_clear_pointer(&name, g_free);
    }
    return name;
}
