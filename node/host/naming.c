/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/naming.h"

#include <glib.h>

#include "node/bus/json.h"

const char *naming_role(MeshRole role) {
    static const char *const names[] = {"founder", "member", "guest", "observer", "relay"};
    return (guint)role < G_N_ELEMENTS(names) ? names[role] : "observer";
}

const char *naming_member(Language language, const MeshMember *member) {
    if (member->name[0] != '\0') {
        return member->name;
    }
    g_autofree char *called =
        g_strdup_printf("%s %02x%02x…", language_text_in(language, naming_role(member->role)),
                        member->key.bytes[0], member->key.bytes[1]);
    return g_intern_string(called);
}

void naming_put_texts(JsonBuilder *builder, const char *name, char *const texts[LANGUAGES]) {
    json_put_begin(builder, name);
    for (Language language = 0; language < LANGUAGES; language++) {
        json_put_text(builder, language_code(language), texts[language]);
    }
    json_builder_end_object(builder);
}

void naming_free_texts(char *texts[LANGUAGES]) {
    for (Language language = 0; language < LANGUAGES; language++) {
        g_clear_pointer(&texts[language], g_free);
    }
}
