/* What both scans of codes share: the product of a code with a question in bytes. */
#include "best.h"
#include <immintrin.h>

enum { STEP = 64, BLOCK = 256 };

static inline int32_t product(const uint8_t *code, const int8_t *weight, int width) {
    __m512i sum = _mm512_setzero_si512(), other = sum;
    int i = 0;
    for (; i + 2 * STEP <= width; i += 2 * STEP) {
        sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(code + i), _mm512_loadu_si512(weight + i));
        other =
            _mm512_dpbusd_epi32(other, _mm512_loadu_si512(code + i + STEP), _mm512_loadu_si512(weight + i + STEP));
    }
    for (; i < width; i += STEP) {
        const __mmask64 there = width - i < STEP ? (1ull << (width - i)) - 1 : ~0ull;
        sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(there, code + i),
                                  _mm512_maskz_loadu_epi8(there, weight + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(sum, other));
}
