/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/way.h"

const char *way_end_name(MeshEnd end) {
    static const char *const names[] = {
        [MESH_END_NONE] = "",
        [MESH_END_SILENT] = "silent",
        [MESH_END_UNHEARD] = "unheard",
        [MESH_END_NETWORK] = "network",
        [MESH_END_RENEWED] = "renewed",
        [MESH_END_LEFT] = "left",
        [MESH_END_SPARED] = "spared",
        [MESH_END_LET_GO] = "let_go",
        [MESH_END_EXPELLED] = "expelled",
    };
    return (guint)end < G_N_ELEMENTS(names) ? names[end] : "";
}

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

/* Why it is not reached directly any more. */
static const char *why_relayed(MeshEnd end) {
    switch (end) {
    case MESH_END_SILENT:
        return N_("the direct link went silent");
    case MESH_END_UNHEARD:
        return N_("nothing of this node arrives there by the direct link");
    case MESH_END_NETWORK:
        return N_("the network of this computer changed");
    case MESH_END_RENEWED:
        return N_("the direct link begins anew");
    case MESH_END_SPARED:
        return N_("it closed the direct link, having others enough");
    case MESH_END_LET_GO:
        return N_("this node closed the direct link, having others enough");
    case MESH_END_NONE:
    case MESH_END_LEFT: /* it is back, by another way */
    case MESH_END_EXPELLED:
        break;
    }
    return N_("there is no direct link");
}

static char *relayed_sentence(Language language, const WayChange *change) {
    const char *via =
        change->via != NULL ? change->via : language_text_in(language, N_("another member"));
    if (change->was == WAY_RELAYED) {
        return moved_sentence(language, change, via);
    }
    return g_strdup_printf(language_text_in(language, N_("%s is reached through %s: %s")),
                           change->name, via, language_text_in(language, why_relayed(change->end)));
}

/* Of whoever was linked with directly. */
static const char *why_lost(MeshEnd end) {
    switch (end) {
    case MESH_END_UNHEARD:
        return N_("nothing of this node arrives there any more");
    case MESH_END_NETWORK:
        return N_("the network of this computer changed");
    case MESH_END_RENEWED:
        return N_("the direct link was to begin anew, and did not");
    case MESH_END_SPARED:
    case MESH_END_LET_GO:
        return N_("the direct link was closed as one too many, and there is no other way");
    default:
        return N_("the direct link went silent, and there is no other way");
    }
}

static char *gone_sentence(Language language, const WayChange *change) {
    if (change->end == MESH_END_LEFT || change->end == MESH_END_EXPELLED) {
        return g_strdup_printf(language_text_in(language, change->end == MESH_END_LEFT
                                                              ? N_("%s is gone: it said goodbye")
                                                              : N_("%s is gone: it was expelled")),
                               change->name);
    }
    if (change->was == WAY_DIRECT) {
        return g_strdup_printf(language_text_in(language, N_("%s is out of reach: %s")),
                               change->name, language_text_in(language, why_lost(change->end)));
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
