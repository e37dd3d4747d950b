/**
 * What a peer may do before its connection ends with GOAWAY ENHANCE_YOUR_CALM. None of it is ever reached by a peer that
 * wants its requests answered. Names and most values are Envoy's.
 */

/** Streams that the peer reset, or made us reset by breaking a rule on them (CVE-2023-44487, CVE-2025-8671), beyond `resetsPerAnswer` for each answered one. */
export const maxPrematureResets = 100;
export const resetsPerAnswer = 2;

/** CONTINUATION frames of one head (CVE-2024-27316). Their bytes are bounded by `maxHeadBytes` besides. */
export const maxContinuationFrames = 10;

/** Answers to SETTINGS and PING, and RST_STREAM, that the peer did not take yet. `max_outbound_control_frames`. */
export const maxOutboundControlFrames = 1000;

/** Frames of any kind that the peer did not take yet. `max_outbound_frames`. */
export const maxOutboundFrames = 10_000;

/** DATA, HEADERS and CONTINUATION with nothing in them, in a row. `max_consecutive_inbound_frames_with_empty_payload`. */
export const maxEmptyFrames = 10;

/** PRIORITY and PRIORITY_UPDATE: so many, and so many again for each stream. `max_inbound_priority_frames_per_stream`. */
export const maxPriorityFramesPerStream = 100;

/** WINDOW_UPDATE: so many, … `max_inbound_window_update_frames_per_data_frame_sent`. */
export const maxWindowUpdatesAtStart = 5;
/** … so many again for each stream, … */
export const maxWindowUpdatesPerStream = 10;
/** … and for each DATA frame that we sent. */
export const maxWindowUpdatesPerDataFrame = 10;
