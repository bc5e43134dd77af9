/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/action.h"

#include "tests/net/emulator/settings.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 6, LINE_MAX_BYTES = 256 };

typedef struct {
    char text[LINE_MAX_BYTES];
    char *word[WORDS_MAX];
    unsigned count;
} Words;

static bool words_split(Words *words, const char *line) {
    char *rest = NULL;
    words->count = 0;
    if ((size_t)snprintf(words->text, sizeof words->text, "%s", line) >= sizeof words->text)
        return false;
    for (char *word = strtok_r(words->text, " \t\r\n:", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r\n:", &rest)) {
        if (words->count == WORDS_MAX)
            return false;
        words->word[words->count++] = word;
    }
    return words->count > 0;
}

static bool seconds_parse(const char *text, uint64_t *ret_us) {
    double seconds;
    if (!emulator_settings_number(text, &seconds) || seconds > 1e7)
        return false;
    *ret_us = (uint64_t)(seconds * 1e6);
    return true;
}

static bool lanes_parse(const char *text, unsigned *ret_lanes) {
    if (strcmp(text, "a>b") == 0)
        *ret_lanes = EMULATOR_LANE_A_B;
    else if (strcmp(text, "b>a") == 0)
        *ret_lanes = EMULATOR_LANE_B_A;
    else if (strcmp(text, "both") == 0)
        *ret_lanes = EMULATOR_LANE_BOTH;
    else
        return false;
    return true;
}

/* Keys and values are tried on scratch settings, so that a schedule cannot fail when it is due. */
static bool setting_take(EmulatorAction *action, const char *key, const char *value) {
    EmulatorSettings scratch = emulator_settings_perfect();
    if (!emulator_settings_set(&scratch, key, value))
        return false;
    action->kind = EMULATOR_ACTION_SET;
    return (size_t)snprintf(action->key, sizeof action->key, "%s", key) < sizeof action->key &&
           (size_t)snprintf(action->value, sizeof action->value, "%s", value) <
               sizeof action->value;
}

/* [a>b.]key=value */
static bool assignment_parse(EmulatorAction *action, char *text) {
    char *value = strchr(text, '=');
    char *dot = strchr(text, '.');
    if (value == NULL)
        return false;
    *value++ = '\0';
    if (dot != NULL && dot < value) {
        *dot = '\0';
        if (!lanes_parse(text, &action->lanes))
            return false;
        text = dot + 1;
    }
    return setting_take(action, text, value);
}

/* S..S [every S] [lanes] */
static bool outages_parse(EmulatorAction *action, Words *words, unsigned at) {
    char *until = strstr(words->word[at], "..");
    if (until == NULL)
        return false;
    *until = '\0';
    if (!seconds_parse(words->word[at], &action->from_us) ||
        !seconds_parse(until + 2, &action->until_us) || action->until_us <= action->from_us)
        return false;
    at++;
    if (at + 1 < words->count && strcmp(words->word[at], "every") == 0) {
        if (!seconds_parse(words->word[at + 1], &action->every_us) ||
            action->every_us <= action->until_us - action->from_us)
            return false;
        at += 2;
    }
    if (at < words->count && !lanes_parse(words->word[at++], &action->lanes))
        return false;
    action->kind = EMULATOR_ACTION_OUTAGES;
    return at == words->count;
}

static bool switch_parse(EmulatorAction *action, Words *words, unsigned at) {
    action->kind = strcmp(words->word[at], "up") == 0 ? EMULATOR_ACTION_UP : EMULATOR_ACTION_DOWN;
    at++;
    if (at == words->count)
        return true;
    if (lanes_parse(words->word[at], &action->lanes))
        return at + 1 == words->count;
    return action->kind == EMULATOR_ACTION_DOWN && action->at_us == 0 &&
           outages_parse(action, words, at);
}

static bool plain_parse(EmulatorAction *action, const Words *words, unsigned at) {
    static const struct {
        const char *word;
        EmulatorActionKind kind;
    } plain[] = {
        {"stats", EMULATOR_ACTION_STATS},
        {"reset", EMULATOR_ACTION_RESET},
        {"quit", EMULATOR_ACTION_QUIT},
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(plain[i].word, words->word[at]) == 0) {
            action->kind = plain[i].kind;
            return at + 1 == words->count;
        }
    }
    return false;
}

static bool words_understand(EmulatorAction *action, Words *words, unsigned at) {
    unsigned left = words->count - at;
    char *first = words->word[at];
    if (strcmp(first, "down") == 0 || strcmp(first, "up") == 0)
        return switch_parse(action, words, at);
    if (strcmp(first, "set") == 0 && left == 2)
        return assignment_parse(action, words->word[at + 1]);
    if (left == 1 && strchr(first, '=') != NULL)
        return assignment_parse(action, first);
    if (left == 1)
        return plain_parse(action, words, at);
    if (left == 3)
        return lanes_parse(words->word[at + 1], &action->lanes) &&
               setting_take(action, first, words->word[at + 2]);
    return left == 2 && setting_take(action, first, words->word[at + 1]);
}

bool emulator_action_parse(const char *line, EmulatorAction *ret_action, const char **ret_reason) {
    EmulatorAction action = {.lanes = EMULATOR_LANE_BOTH};
    Words words;
    unsigned at = 0;
    *ret_reason = "not a command, or an unknown key or value";
    if (!words_split(&words, line)) {
        *ret_reason = "empty or too long";
        return false;
    }
    if (strcmp(words.word[0], "at") == 0) {
        if (words.count < 3 || !seconds_parse(words.word[1], &action.at_us)) {
            *ret_reason = "`at` needs seconds and a command";
            return false;
        }
        at = 2;
    }
    if (!words_understand(&action, &words, at))
        return false;
    *ret_action = action;
    return true;
}
