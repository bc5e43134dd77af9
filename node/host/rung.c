/* SPDX-License-Identifier: MPL-2.0 */
#include "node/host/rung.h"

LineSource rung_source(const MediaRung *rung) {
    if (rung->kind == MEDIA_KIND_VOICE) {
        return rung->reason == MEDIA_REASON_NARROW ? LINE_SOURCE_PAUSED : LINE_SOURCE_WHOLE;
    }
    switch ((guint)rung->codec) {
    case 0:
        return LINE_SOURCE_PAUSED;
    case MEDIA_CODEC_WEBP:
        return LINE_SOURCE_STILLS;
    default:
        return LINE_SOURCE_WHOLE;
    }
}

guint rung_value(const MediaRung *rung) {
    gboolean voice = rung->kind == MEDIA_KIND_VOICE;
    guint shape = voice ? rung->packet_ms : rung->height + (1000u / MAX(rung->packet_ms, 1u) << 11);
    return 1u << 31 | (guint)rung_source(rung) << 24 | (guint)rung->codec << 16 | (shape & 0xffff);
}

const char *rung_codec_name(MediaCodec codec) {
    switch (codec) {
    case MEDIA_CODEC_OPUS:
        return "opus";
    case MEDIA_CODEC_VP8:
        return "vp8";
    case MEDIA_CODEC_WEBP:
        return "webp";
    case MEDIA_CODEC_CODEC2:
        return "codec2";
    }
    return "none";
}

static const char *why(Language language, const MediaRung *rung) {
    switch (rung->reason) {
    case MEDIA_REASON_BEGINS:
        break;
    case MEDIA_REASON_LINE:
        return language_text_in(language, N_("the line carries no more"));
    case MEDIA_REASON_LOSS:
        return language_text_in(language, N_("what is lost has to be sent more than once"));
    case MEDIA_REASON_QUEUE:
        return language_text_in(language, N_("too much waits to be sent"));
    case MEDIA_REASON_VOICE:
        return language_text_in(language, N_("speech needs the room"));
    case MEDIA_REASON_SAVE:
        return language_text_in(language, N_("you set it so"));
    case MEDIA_REASON_ROOM:
        return language_text_in(language, N_("there is more room than before"));
    case MEDIA_REASON_NARROW:
        return language_text_in(language, N_("the line is too narrow"));
    case MEDIA_REASON_FAR:
        return language_text_in(language,
                                N_("answers take so long that shorter packets would gain nothing"));
    }
    return NULL;
}

static char *voice_text(Language language, const MediaRung *rung) {
    if (rung_source(rung) == LINE_SOURCE_PAUSED) {
        return g_strdup(language_text_in(language, N_("your voice may not be heard live")));
    }
    g_autofree char *rate = line_rate_text(language, rung->bitrate_bps);
    return g_strdup_printf(
        language_text_in(language, rung->codec == MEDIA_CODEC_CODEC2
                                       ? N_("voice, at its coarsest, goes in packets of %u ms, %s")
                                       : N_("voice goes in packets of %u ms, %s")),
        (guint)rung->packet_ms, rate);
}

static char *picture_text(Language language, const MediaRung *rung) {
    gboolean camera = rung->kind == MEDIA_KIND_VIDEO;
    const char *fixed = line_picture_text(language, rung_source(rung), camera);
    if (fixed != NULL) {
        return g_strdup(fixed);
    }
    return g_strdup_printf(
        language_text_in(language, camera ? N_("the camera sends %u pictures a second of %u lines")
                                          : N_("the screen is sent as %u pictures a second of %u "
                                               "lines")),
        1000u / MAX(rung->packet_ms, 1u), (guint)rung->height);
}

char *rung_sentence(Language language, const MediaRung *rung) {
    g_autofree char *what =
        rung->kind == MEDIA_KIND_VOICE ? voice_text(language, rung) : picture_text(language, rung);
    const char *reason = why(language, rung);
    return reason == NULL ? g_steal_pointer(&what)
                          : g_strdup_printf(language_text_in(language, N_("%s: %s")), what, reason);
}
