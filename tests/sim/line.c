/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/line.h"

void line_init(Line *line, const char *name, uint64_t seed, Schedule *schedule, uint64_t since_us,
               LineLand land, gpointer context) {
    LineSettings perfect = {.lane = emulator_settings_perfect()};

    g_strlcpy(line->name, name, sizeof line->name);
    line->schedule = schedule;
    line->armed_us = UINT64_MAX;
    line->land = land;
    line->context = context;
    emulator_lane_init(&line->lane, line->name, &perfect.lane, seed, since_us);
    line_change_at(line, &perfect, since_us);
}

void line_finish(Line *line) {
    emulator_lane_finish(&line->lane);
    g_free(line->queue);
}

static void arm(Line *line);

static void wake(gpointer data) {
    Line *line = data;
    uint64_t now_us = schedule_now_us(line->schedule);
    EmulatorFrame *frame;

    if (now_us < line->armed_us)
        return; /* what it was armed for came earlier */
    line->armed_us = UINT64_MAX;
    while ((frame = emulator_lane_land(&line->lane, now_us))) {
        line->land(line->context, frame->bytes, frame->length);
        emulator_frame_destroy(frame);
    }
    arm(line);
}

static void arm(Line *line) {
    uint64_t now_us = schedule_now_us(line->schedule);
    uint64_t deadline_us = MAX(emulator_lane_deadline_us(&line->lane), now_us);

    if (deadline_us < line->armed_us) {
        line->armed_us = deadline_us;
        schedule_add(line->schedule, deadline_us - now_us, wake, line, NULL);
    }
}

void line_change_at(Line *line, const LineSettings *settings, uint64_t at_us) {
    EmulatorSettings lane = settings->lane;

    if (lane.mtu_bytes == 0)
        lane.mtu_bytes = LINE_MTU;
    line->damage_ppm = settings->damage_ppm;
    line->replay_ppm = settings->replay_ppm;
    emulator_lane_change(&line->lane, &lane, at_us);
    arm(line);
}

void line_change(Line *line, const LineSettings *settings) {
    line_change_at(line, settings, schedule_now_us(line->schedule));
}

void line_cut_at(Line *line, bool cut, uint64_t at_us) {
    emulator_lane_switch(&line->lane, cut ? EMULATOR_LANE_DOWN : EMULATOR_LANE_UP, at_us);
}

void line_cut(Line *line, bool cut) {
    line_cut_at(line, cut, schedule_now_us(line->schedule));
}

bool line_is_cut(const Line *line) {
    return line->lane.state == EMULATOR_LANE_DOWN;
}

void line_measure(Line *line) {
    if (!line->queue)
        line->queue = g_new0(EmulatorHistogram, 1);
    line->lane.stats.queue = line->queue;
}

void line_send(Line *line, const uint8_t *bytes, size_t length, size_t ip_bytes) {
    emulator_lane_carry(&line->lane, bytes, length, ip_bytes, schedule_now_us(line->schedule));
    arm(line);
}
