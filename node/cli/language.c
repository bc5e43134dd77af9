/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/language.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/french/french.h"

static const FrenchSentence *const french[] = {
    french_commands, french_core,  french_host, french_lines,
    french_map,      french_media, french_page, french_printed,
};

static Language chosen = LANGUAGE_ENGLISH;
static Language spoken = LANGUAGE_ENGLISH;

void language_choose_by_locale(void) {
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value != NULL && *value != '\0') {
            chosen = strncmp(value, "fr", 2) == 0 ? LANGUAGE_FRENCH : LANGUAGE_ENGLISH;
            spoken = chosen;
            return;
        }
    }
}

Language language_chosen(void) {
    return chosen;
}

Language language_speak(Language language) {
    Language before = spoken;
    spoken = language;
    return before;
}

const char *language_code(Language language) {
    return language == LANGUAGE_FRENCH ? "fr" : "en";
}

Language language_of_code(const char *code, Language otherwise) {
    return strcmp(code, "fr") == 0   ? LANGUAGE_FRENCH
           : strcmp(code, "en") == 0 ? LANGUAGE_ENGLISH
                                     : otherwise;
}

static const char *french_of(const char *english) {
    for (size_t i = 0; i < sizeof french / sizeof *french; i++) {
        for (const FrenchSentence *at = french[i]; at->english != NULL; at++) {
            if (strcmp(at->english, english) == 0) {
                return at->french;
            }
        }
    }
    return english;
}

const char *language_text_in(Language language, const char *english) {
    return language == LANGUAGE_FRENCH ? french_of(english) : english;
}

const char *language_text(const char *english) {
    return language_text_in(spoken, english);
}
