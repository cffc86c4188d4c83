#ifndef CCRYPTO_SHIM_H
#define CCRYPTO_SHIM_H

// SHA256_Init and its like are the only ones that hash without an allocation; OpenSSL would rather have them replaced.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#endif
