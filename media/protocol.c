/* SPDX-License-Identifier: MPL-2.0 */
#include "media/protocol.h"

#include <string.h>

/* A cursor that remembers having gone wrong, so that each message reads as a list of fields. */
typedef struct {
    const uint8_t *at;
    size_t left;
    bool bad;
} Reader;

typedef struct {
    uint8_t *at;
} Writer;

static uint32_t read_uint(Reader *reader, size_t width) {
    if (reader->bad || reader->left < width) {
        reader->bad = true;
        return 0;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value |= (uint32_t)reader->at[i] << (8 * i);
    }
    reader->at += width;
    reader->left -= width;
    return value;
}

static bool read_flag(Reader *reader) {
    uint32_t value = read_uint(reader, 1);
    reader->bad = reader->bad || value > 1;
    return value == 1;
}

/* The last field of its message: what is left must be exactly its length. */
static const uint8_t *read_rest(Reader *reader, uint32_t length) {
    if (reader->bad || reader->left != length) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *start = reader->at;
    reader->at += length;
    reader->left = 0;
    return start;
}

/* So many bytes, which others follow. */
static MediaText read_part(Reader *reader, uint16_t length) {
    MediaText text = {.data = (const char *)reader->at, .length = length};
    if (reader->bad || reader->left < length) {
        reader->bad = true;
        return (MediaText){0};
    }
    reader->at += length;
    reader->left -= length;
    return text;
}

static MediaText read_text(Reader *reader) {
    uint16_t length = (uint16_t)read_uint(reader, 2);
    const uint8_t *start = read_rest(reader, length);
    return (MediaText){.data = (const char *)start, .length = start == NULL ? 0 : length};
}

static void write_uint(Writer *writer, uint32_t value, size_t width) {
    for (size_t i = 0; i < width; i++) {
        writer->at[i] = (uint8_t)(value >> (8 * i));
    }
    writer->at += width;
}

static void write_bytes(Writer *writer, const void *data, size_t length) {
    if (length > 0) {
        memcpy(writer->at, data, length);
        writer->at += length;
    }
}

static void write_text(Writer *writer, MediaText text) {
    write_uint(writer, text.length, 2);
    write_bytes(writer, text.data, text.length);
}

static bool kind_valid(MediaKind kind, MediaKind first) {
    return (unsigned)kind >= (unsigned)first && (unsigned)kind <= MEDIA_KIND_SCREEN;
}

static bool text_valid(MediaText text) {
    return text.length <= MEDIA_TEXT_MAX &&
           (text.length == 0 || (text.data != NULL && memchr(text.data, 0, text.length) == NULL));
}

static bool open_valid(const MediaStreamOpen *open) {
    return open->kind == MEDIA_KIND_VOICE || open->kind == MEDIA_KIND_VIDEO;
}

static bool codec_valid(MediaKind kind, MediaCodec codec) {
    switch (codec) {
    case MEDIA_CODEC_OPUS:
    case MEDIA_CODEC_CODEC2:
        return kind == MEDIA_KIND_VOICE;
    case MEDIA_CODEC_VP8:
    case MEDIA_CODEC_WEBP:
        return kind == MEDIA_KIND_VIDEO || kind == MEDIA_KIND_SCREEN;
    }
    return false;
}

static bool frame_valid(const MediaFrame *frame) {
    uint32_t payload_max =
        frame->kind == MEDIA_KIND_VOICE ? MEDIA_VOICE_PAYLOAD_MAX : MEDIA_PAYLOAD_MAX;
    return kind_valid(frame->kind, MEDIA_KIND_VOICE) && codec_valid(frame->kind, frame->codec) &&
           (frame->flags & ~MEDIA_FLAGS_ALL) == 0 && frame->level <= MEDIA_LEVEL_SILENCE &&
           frame->duration_ms >= 1 && frame->duration_ms <= MEDIA_DURATION_MS_MAX &&
           frame->payload.data != NULL && frame->payload.length >= 1 &&
           frame->payload.length <= payload_max;
}

static bool rung_valid(const MediaRung *rung) {
    return kind_valid(rung->kind, MEDIA_KIND_VOICE) &&
           (codec_valid(rung->kind, rung->codec) ||
            (rung->codec == 0 && rung->kind != MEDIA_KIND_VOICE)) &&
           (unsigned)rung->reason <= MEDIA_REASON_FAR;
}

static bool start_valid(const MediaStart *start) {
    return kind_valid(start->kind, MEDIA_KIND_VOICE) &&
           (unsigned)start->profile <= MEDIA_PROFILE_RECORD && start->source.length > 0 &&
           text_valid(start->source);
}

static bool mix_valid(const MediaMix *mix) {
    uint32_t length = mix->samples.length;
    return length <= MEDIA_MIX_BYTES_MAX && length % 2 == 0 &&
           (length == 0 || mix->samples.data != NULL);
}

/* The end of a list says nothing more. */
static bool device_valid(const MediaDevice *device) {
    bool ends = device->role == MEDIA_ROLE_NONE;
    return (unsigned)device->role <= MEDIA_ROLE_SPEAKER && text_valid(device->source) &&
           text_valid(device->name) && ends == (device->source.length == 0) &&
           (!ends || device->name.length == 0);
}

static bool loudness_valid(const MediaLoudness *loudness) {
    return loudness->rms <= MEDIA_LEVEL_SILENCE && loudness->peak <= MEDIA_LEVEL_SILENCE;
}

size_t media_message_size(const MediaMessage *message) {
    switch (message->type) {
    case MEDIA_STREAM_OPEN:
        return open_valid(&message->open) ? 7 : 0;
    case MEDIA_FRAME:
        return frame_valid(&message->frame)
                   ? MEDIA_FRAME_HEADER_SIZE + (size_t)message->frame.payload.length
                   : 0;
    case MEDIA_STREAM_CLOSE:
        return 6;
    case MEDIA_STOP:
        return kind_valid(message->kind, MEDIA_KIND_NONE) ? 3 : 0;
    case MEDIA_STARTED:
        return kind_valid(message->kind, MEDIA_KIND_VOICE) ? 3 : 0;
    case MEDIA_START:
        return start_valid(&message->start) ? 6 + (size_t)message->start.source.length : 0;
    case MEDIA_UPLINK:
        return message->uplink.loss_permille <= 1000 ? 12 : 0;
    case MEDIA_KEYFRAME:
        return kind_valid(message->keyframe.kind, MEDIA_KIND_VIDEO) ? 7 : 0;
    case MEDIA_RUNG:
        return rung_valid(&message->rung) ? 17 : 0;
    case MEDIA_SAVE:
        return (unsigned)message->save <= MEDIA_SAVE_PICTURES ? 3 : 0;
    case MEDIA_RECORD:
    case MEDIA_METER:
    case MEDIA_ECHO:
        return 3;
    case MEDIA_LOUDNESS:
        return loudness_valid(&message->loudness) ? 4 : 0;
    case MEDIA_DEVICES:
        return 2;
    case MEDIA_DEVICE:
        return device_valid(&message->device)
                   ? 7 + (size_t)message->device.source.length + message->device.name.length
                   : 0;
    case MEDIA_MIX:
        return mix_valid(&message->mix) ? 10 + (size_t)message->mix.samples.length : 0;
    case MEDIA_READY:
        return text_valid(message->notice.text) ? 4 + (size_t)message->notice.text.length : 0;
    case MEDIA_STATS:
        return 36;
    case MEDIA_ENDED:
    case MEDIA_ERROR:
        return kind_valid(message->notice.kind, MEDIA_KIND_NONE) && text_valid(message->notice.text)
                   ? 5 + (size_t)message->notice.text.length
                   : 0;
    }
    return 0;
}

static void write_frame(Writer *writer, const MediaFrame *frame) {
    write_uint(writer, frame->stream, 4);
    write_uint(writer, frame->number, 4);
    write_uint(writer, frame->media_time_ms, 4);
    write_uint(writer, frame->duration_ms, 2);
    write_uint(writer, frame->kind, 1);
    write_uint(writer, frame->flags, 1);
    write_uint(writer, frame->codec, 1);
    write_uint(writer, frame->level, 1);
    write_uint(writer, frame->payload.length, 4);
    write_bytes(writer, frame->payload.data, frame->payload.length);
}

static void write_stats(Writer *writer, const MediaStats *stats) {
    write_uint(writer, stats->stream, 4);
    write_uint(writer, stats->frames, 4);
    write_uint(writer, stats->in_time, 4);
    write_uint(writer, stats->late, 4);
    write_uint(writer, stats->lost, 4);
    write_uint(writer, stats->concealed, 4);
    write_uint(writer, stats->delay_ms, 2);
    write_uint(writer, stats->decoded, 4);
    write_uint(writer, stats->keyframes, 4);
}

static void write_rung(Writer *writer, const MediaRung *rung) {
    write_uint(writer, rung->kind, 1);
    write_uint(writer, rung->codec, 1);
    write_uint(writer, rung->packet_ms, 2);
    write_uint(writer, rung->height, 2);
    write_uint(writer, rung->bitrate_bps, 4);
    write_uint(writer, rung->wire_bps, 4);
    write_uint(writer, rung->reason, 1);
}

static void write_device(Writer *writer, const MediaDevice *device) {
    write_uint(writer, device->role, 1);
    write_uint(writer, device->source.length, 2);
    write_uint(writer, device->name.length, 2);
    write_bytes(writer, device->source.data, device->source.length);
    write_bytes(writer, device->name.data, device->name.length);
}

static void write_body(Writer *writer, const MediaMessage *message) {
    switch (message->type) {
    case MEDIA_STREAM_OPEN:
        write_uint(writer, message->open.stream, 4);
        write_uint(writer, message->open.kind, 1);
        break;
    case MEDIA_FRAME:
        write_frame(writer, &message->frame);
        break;
    case MEDIA_STREAM_CLOSE:
        write_uint(writer, message->stream, 4);
        break;
    case MEDIA_STOP:
    case MEDIA_STARTED:
        write_uint(writer, message->kind, 1);
        break;
    case MEDIA_START:
        write_uint(writer, message->start.kind, 1);
        write_uint(writer, message->start.profile, 1);
        write_text(writer, message->start.source);
        break;
    case MEDIA_UPLINK:
        write_uint(writer, message->uplink.rate_bps, 4);
        write_uint(writer, message->uplink.loss_permille, 2);
        write_uint(writer, message->uplink.rtt_ms, 2);
        write_uint(writer, message->uplink.queue_ms, 2);
        break;
    case MEDIA_KEYFRAME:
        write_uint(writer, message->keyframe.kind, 1);
        write_uint(writer, message->keyframe.stream, 4);
        break;
    case MEDIA_RUNG:
        write_rung(writer, &message->rung);
        break;
    case MEDIA_SAVE:
        write_uint(writer, message->save, 1);
        break;
    case MEDIA_RECORD:
        write_uint(writer, message->record, 1);
        break;
    case MEDIA_METER:
        write_uint(writer, message->meter, 1);
        break;
    case MEDIA_ECHO:
        write_uint(writer, message->cancelled, 1);
        break;
    case MEDIA_LOUDNESS:
        write_uint(writer, message->loudness.rms, 1);
        write_uint(writer, message->loudness.peak, 1);
        break;
    case MEDIA_DEVICES:
        break;
    case MEDIA_DEVICE:
        write_device(writer, &message->device);
        break;
    case MEDIA_MIX:
        write_uint(writer, message->mix.first, 4);
        write_uint(writer, message->mix.samples.length, 4);
        write_bytes(writer, message->mix.samples.data, message->mix.samples.length);
        break;
    case MEDIA_READY:
        write_text(writer, message->notice.text);
        break;
    case MEDIA_STATS:
        write_stats(writer, &message->stats);
        break;
    case MEDIA_ENDED:
    case MEDIA_ERROR:
        write_uint(writer, message->notice.kind, 1);
        write_text(writer, message->notice.text);
        break;
    }
}

size_t media_message_encode(const MediaMessage *message, uint8_t *ret_bytes, size_t capacity) {
    size_t size = media_message_size(message);
    if (size == 0 || size > capacity) {
        return 0;
    }
    Writer writer = {.at = ret_bytes};
    write_uint(&writer, MEDIA_PROTOCOL_VERSION, 1);
    write_uint(&writer, message->type, 1);
    write_body(&writer, message);
    return size;
}

static MediaFrame read_frame(Reader *reader) {
    MediaFrame frame = {0};
    frame.stream = read_uint(reader, 4);
    frame.number = read_uint(reader, 4);
    frame.media_time_ms = read_uint(reader, 4);
    frame.duration_ms = (uint16_t)read_uint(reader, 2);
    frame.kind = (MediaKind)read_uint(reader, 1);
    frame.flags = (uint8_t)read_uint(reader, 1);
    frame.codec = (MediaCodec)read_uint(reader, 1);
    frame.level = (uint8_t)read_uint(reader, 1);
    frame.payload.length = read_uint(reader, 4);
    frame.payload.data = read_rest(reader, frame.payload.length);
    return frame;
}

static MediaStats read_stats(Reader *reader) {
    MediaStats stats = {0};
    stats.stream = read_uint(reader, 4);
    stats.frames = read_uint(reader, 4);
    stats.in_time = read_uint(reader, 4);
    stats.late = read_uint(reader, 4);
    stats.lost = read_uint(reader, 4);
    stats.concealed = read_uint(reader, 4);
    stats.delay_ms = (uint16_t)read_uint(reader, 2);
    stats.decoded = read_uint(reader, 4);
    stats.keyframes = read_uint(reader, 4);
    return stats;
}

static MediaRung read_rung(Reader *reader) {
    MediaRung rung = {0};
    rung.kind = (MediaKind)read_uint(reader, 1);
    rung.codec = (MediaCodec)read_uint(reader, 1);
    rung.packet_ms = (uint16_t)read_uint(reader, 2);
    rung.height = (uint16_t)read_uint(reader, 2);
    rung.bitrate_bps = read_uint(reader, 4);
    rung.wire_bps = read_uint(reader, 4);
    rung.reason = (MediaReason)read_uint(reader, 1);
    return rung;
}

static MediaDevice read_device(Reader *reader) {
    MediaDevice device = {.role = (MediaRole)read_uint(reader, 1)};
    uint16_t source = (uint16_t)read_uint(reader, 2), name = (uint16_t)read_uint(reader, 2);
    device.source = read_part(reader, source);
    device.name = read_part(reader, name);
    return device;
}

static void read_body(Reader *reader, MediaMessage *message) {
    switch (message->type) {
    case MEDIA_STREAM_OPEN:
        message->open.stream = read_uint(reader, 4);
        message->open.kind = (MediaKind)read_uint(reader, 1);
        break;
    case MEDIA_FRAME:
        message->frame = read_frame(reader);
        break;
    case MEDIA_STREAM_CLOSE:
        message->stream = read_uint(reader, 4);
        break;
    case MEDIA_STOP:
    case MEDIA_STARTED:
        message->kind = (MediaKind)read_uint(reader, 1);
        break;
    case MEDIA_START:
        message->start.kind = (MediaKind)read_uint(reader, 1);
        message->start.profile = (MediaProfile)read_uint(reader, 1);
        message->start.source = read_text(reader);
        break;
    case MEDIA_UPLINK:
        message->uplink.rate_bps = read_uint(reader, 4);
        message->uplink.loss_permille = (uint16_t)read_uint(reader, 2);
        message->uplink.rtt_ms = (uint16_t)read_uint(reader, 2);
        message->uplink.queue_ms = (uint16_t)read_uint(reader, 2);
        break;
    case MEDIA_KEYFRAME:
        message->keyframe.kind = (MediaKind)read_uint(reader, 1);
        message->keyframe.stream = read_uint(reader, 4);
        break;
    case MEDIA_RUNG:
        message->rung = read_rung(reader);
        break;
    case MEDIA_SAVE:
        message->save = (MediaSave)read_uint(reader, 1);
        break;
    case MEDIA_RECORD:
        message->record = read_flag(reader);
        break;
    case MEDIA_METER:
        message->meter = read_flag(reader);
        break;
    case MEDIA_ECHO:
        message->cancelled = read_flag(reader);
        break;
    case MEDIA_LOUDNESS:
        message->loudness.rms = (uint8_t)read_uint(reader, 1);
        message->loudness.peak = (uint8_t)read_uint(reader, 1);
        break;
    case MEDIA_DEVICES:
        break;
    case MEDIA_DEVICE:
        message->device = read_device(reader);
        break;
    case MEDIA_MIX:
        message->mix.first = read_uint(reader, 4);
        message->mix.samples.length = read_uint(reader, 4);
        message->mix.samples.data = read_rest(reader, message->mix.samples.length);
        break;
    case MEDIA_READY:
        message->notice.text = read_text(reader);
        break;
    case MEDIA_STATS:
        message->stats = read_stats(reader);
        break;
    case MEDIA_ENDED:
    case MEDIA_ERROR:
        message->notice.kind = (MediaKind)read_uint(reader, 1);
        message->notice.text = read_text(reader);
        break;
    default:
        reader->bad = true;
    }
}

bool media_message_decode(const uint8_t *bytes, size_t length, MediaMessage *ret_message) {
    Reader reader = {.at = bytes, .left = length};
    uint32_t version = read_uint(&reader, 1);
    MediaMessage message = {0};
    message.type = (MediaType)read_uint(&reader, 1);
    if (reader.bad || version != MEDIA_PROTOCOL_VERSION) {
        return false;
    }
    read_body(&reader, &message);
    /* The size of a valid message is that of what was read: limits are checked once, there. */
    if (reader.bad || media_message_size(&message) != length) {
        return false;
    }
    *ret_message = message;
    return true;
}

const char *media_kind_name(MediaKind kind) {
    switch (kind) {
    case MEDIA_KIND_VOICE:
        return "voice";
    case MEDIA_KIND_VIDEO:
        return "video";
    case MEDIA_KIND_SCREEN:
        return "screen";
    case MEDIA_KIND_NONE:
        break;
    }
    return "none";
}

MediaText media_text(const char *text) {
    size_t length = strlen(text);
    if (length > MEDIA_TEXT_MAX) {
        length = MEDIA_TEXT_MAX;
        /* Not inside a UTF-8 sequence. */
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) {
            length--;
        }
    }
    return (MediaText){.data = text, .length = (uint16_t)length};
}
