/* solo.h - everything that a program on Solo's reactor needs. Each header below is the manual of its part. */
#ifndef SOLO_SOLO_H
#define SOLO_SOLO_H
#include <solo/address.h>
#include <solo/context.h>
#include <solo/deferred_list.h>
#include <solo/deferred_lock.h>
#include <solo/deferred_queue.h>
#include <solo/deferred_semaphore.h>
#include <solo/deferred_steps.h>
#include <solo/cooperator.h>
#include <solo/delayed_call.h>
#include <solo/descriptor.h>
#include <solo/expect.h>
#include <solo/looping_call.h>
#include <solo/names.h>
#include <solo/pool.h>
#include <solo/producer.h>
#include <solo/react.h>
#include <solo/reactor.h>
#include <solo/team.h>
#include <solo/signal.h>
#include <solo/thread.h>
#include <solo/thread_call.h>
#include <solo/transport.h>
#include <solo/worker.h>
#endif
