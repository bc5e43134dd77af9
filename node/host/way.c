/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/way.h"

static char *direct_sentence(Language language, const WayChange *change) {
    switch (change->was) {
    case WAY_NONE:
        return g_strdup_printf(language_text_in(language, N_("%s is here, by a direct link")),
                               change->name);
    case WAY_RELAYED:
        return g_strdup_printf(
            language_text_in(language,
                             N_("%s is linked with directly now: a direct path was found")),
            change->name);
    case WAY_DIRECT:
        break;
    }
    return NULL;
}

/* By another than before. */
static char *moved_sentence(Language language, const WayChange *change, const char *via) {
    if (change->before == NULL) {
        return NULL;
    }
    if (change->carrier_lost) {
        return g_strdup_printf(
            language_text_in(language, N_("%s is reached through %s now: the link to %s is lost")),
            change->name, via, change->before);
    }
    if (change->carrier_cut) {
        return g_strdup_printf(
            language_text_in(language,
                             N_("%s is reached through %s now: %s is linked there no more")),
            change->name, via, change->before);
    }
    return g_strdup_printf(
        language_text_in(language, N_("%s is reached through %s now: this way is better")),
        change->name, via);
}

static char *relayed_sentence(Language language, const WayChange *change) {
    const char *via =
        change->via != NULL ? change->via : language_text_in(language, N_("another member"));
    if (change->was == WAY_RELAYED) {
        return moved_sentence(language, change, via);
    }
    switch (change->end) {
    case WAY_SILENT:
        return g_strdup_printf(
            language_text_in(language, N_("%s is reached through %s: the direct link went silent")),
            change->name, via);
    case WAY_CLOSED:
        return g_strdup_printf(
            language_text_in(
                language,
                N_("%s is reached through %s: the direct link was closed, other links are enough")),
            change->name, via);
    case WAY_NEVER:
        break;
    }
    return g_strdup_printf(
        language_text_in(language, N_("%s is reached through %s: there is no direct link")),
        change->name, via);
}

static char *gone_sentence(Language language, const WayChange *change) {
    if (change->was == WAY_DIRECT) {
        return g_strdup_printf(
            language_text_in(language, change->end == WAY_CLOSED
                                           ? N_("%s is gone: the link was closed")
                                           : N_("%s is out of reach: the direct link went silent, "
                                                "and there is no other way")),
            change->name);
    }
    if (change->before == NULL) {
        return g_strdup_printf(language_text_in(language, N_("%s is out of reach")), change->name);
    }
    return g_strdup_printf(
        language_text_in(language,
                         change->carrier_lost
                             ? N_("%s is out of reach: the link to %s, who carried, is lost")
                             : N_("%s is out of reach: the way through %s is broken")),
        change->name, change->before);
}

char *way_sentence(Language language, const WayChange *change) {
    switch (change->is) {
    case WAY_DIRECT:
        return direct_sentence(language, change);
    case WAY_RELAYED:
        return relayed_sentence(language, change);
    case WAY_NONE:
        break;
    }
    return change->was == WAY_NONE ? NULL : gone_sentence(language, change);
}

char *way_weak_sentence(Language language, const char *name, gboolean weak) {
    return g_strdup_printf(
        language_text_in(language,
                         weak ? N_("%s carries nothing for others any more: the line is weak there")
                              : N_("%s carries for others again")),
        name);
}

char *way_many_sentence(Language language, WayKind is, guint count) {
    switch (is) {
    case WAY_DIRECT:
        return g_strdup_printf(
            language_text_in(language, N_("%u members are linked with directly")), count);
    case WAY_RELAYED:
        return g_strdup_printf(
            language_text_in(language, N_("%u members are reached through others")), count);
    default:
        return g_strdup_printf(language_text_in(language, N_("%u members are out of reach")),
                               count);
    }
}
