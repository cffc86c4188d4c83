#ifndef KEREGE_CZEROMQ_SHIM_H
#define KEREGE_CZEROMQ_SHIM_H

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <zmq.h>

/* glibc declares these to programs with _GNU_SOURCE only, which a Swift import cannot define. */
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock, const struct timespec *moment);

/* zmq.h shows this number only to builds with the draft API, but the released library 4.3.4 obeys it: a CURVE server
   whose ZAP handler is missing then refuses every handshake instead of admitting everybody. */
static const int KEREGE_ZMQ_ZAP_ENFORCE_DOMAIN = 93;

#endif
