/*
 * Everything that was here once is in zmq.h.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "zmq.h"
