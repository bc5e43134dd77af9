/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the node does for each command of the table.
 * Each handler owns its call until it has answered it, at once or later. It never waits.
 */
#pragma once

#include "node/bus/command.h"

/* relay.c: whether this node does such a thing at all; FALSE when the call was refused. */
gboolean host_serves(Host *host, const Command *command, BusCall *call);

/* views.c */
void host_handle_status(Host *host, BusCall *call);
void host_handle_peers(Host *host, BusCall *call);
void host_handle_meeting_list(Host *host, BusCall *call);
void host_handle_roster_list(Host *host, BusCall *call);
void host_handle_messages(Host *host, BusCall *call);
void host_handle_doc_list(Host *host, BusCall *call);
void host_handle_motion_list(Host *host, BusCall *call);
void host_handle_motion_show(Host *host, BusCall *call);
void host_handle_stats(Host *host, BusCall *call);

/* maps.c */
void host_handle_map(Host *host, BusCall *call);

/* speakers.c */
void host_handle_streams(Host *host, BusCall *call);

/* devices.c */
void host_handle_devices(Host *host, BusCall *call);
void host_handle_devices_use(Host *host, BusCall *call);
void host_handle_devices_test(Host *host, BusCall *call);
void host_handle_devices_stop(Host *host, BusCall *call);

/* joining.c */
void host_handle_meeting_create(Host *host, BusCall *call);
void host_handle_join(Host *host, BusCall *call);
void host_handle_answer(Host *host, BusCall *call);
void host_handle_accept(Host *host, BusCall *call);

/* acts.c */
void host_handle_meeting_use(Host *host, BusCall *call);
void host_handle_invite(Host *host, BusCall *call);
void host_handle_invite_revoke(Host *host, BusCall *call);
void host_handle_roster_expel(Host *host, BusCall *call);
void host_handle_say(Host *host, BusCall *call);
void host_handle_motion_open(Host *host, BusCall *call);
void host_handle_motion_close(Host *host, BusCall *call);
void host_handle_vote(Host *host, BusCall *call);

/* hands.c */
void host_handle_hand_up(Host *host, BusCall *call);
void host_handle_hand_down(Host *host, BusCall *call);
void host_handle_hand_list(Host *host, BusCall *call);

/* talk.c */
void host_handle_talk(Host *host, BusCall *call);
void host_handle_voice_send(Host *host, BusCall *call);
void host_handle_voice_play(Host *host, BusCall *call);
void host_handle_voice_stop(Host *host, BusCall *call);

/* documents.c */
void host_handle_doc_add(Host *host, BusCall *call);
void host_handle_doc_get(Host *host, BusCall *call);

/* bundle.c */
void host_handle_bundle_export(Host *host, BusCall *call);
void host_handle_bundle_import(Host *host, BusCall *call);

/* leaving.c */
void host_handle_meeting_leave(Host *host, BusCall *call);

/* serving.c */
void host_handle_page(Host *host, BusCall *call);
void host_handle_name(Host *host, BusCall *call);

/* bandwidth.c */
void host_handle_bandwidth(Host *host, BusCall *call);

/* record.c */
void host_handle_record(Host *host, BusCall *call);
void host_handle_record_stop(Host *host, BusCall *call);

/* sources.c */
void host_handle_mic_on(Host *host, BusCall *call);
void host_handle_mic_off(Host *host, BusCall *call);
void host_handle_cam_on(Host *host, BusCall *call);
void host_handle_cam_off(Host *host, BusCall *call);
void host_handle_screen_on(Host *host, BusCall *call);
void host_handle_screen_off(Host *host, BusCall *call);
