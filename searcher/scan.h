/* What both scans of codes share: the product of a code with a question in bytes, and the best so far. */
#include <immintrin.h>
#include <stdint.h>

enum { STEP = 64, BLOCK = 256 };

/* Enters a vector among the k best so far, which fall, equals by their places: the order of a scan does not matter. */
static void enter(int32_t score, int64_t place, int k, int32_t *scores, int64_t *places) {
    int at = k - 1;
    if (score < scores[at] || (score == scores[at] && (uint64_t)place >= (uint64_t)places[at]))
        return;
    for (; at > 0 && (scores[at - 1] < score || (scores[at - 1] == score && places[at - 1] > place)); at--) {
        scores[at] = scores[at - 1];
        places[at] = places[at - 1];
    }
    scores[at] = score;
    places[at] = place;
}

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
