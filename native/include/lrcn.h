/*
 * lrcn.h: the C11 contract between the captioner's TypeScript and its libtorch library.
 *
 * Common to all functions, unless said otherwise:
 *
 *   Errors     An int32_t result is a code of lrcn_status. Where it is not LRCN_OK, one line of UTF-8 without a line
 *              feed has been written into `message` (capacity in bytes, ending with NUL, cut at a character; NULL or 0
 *              for none), and no other output has been touched. No exception leaves this library.
 *   Ownership  Every buffer is the caller's: borrowed until the function returns, never kept. A handle returned by
 *              *_create is owned by the caller until *_destroy. Lengths count elements; a NULL buffer, or a length that
 *              does not fit the shape, is LRCN_INVALID_ARGUMENT. Outputs are written in full or not at all.
 *   Threads    Any thread may call. An engine owns one thread on which all its work runs, one call after another;
 *              grad mode, autocast and thread counts are set there alone and never leak into the caller's thread.
 *   Options    A struct's first field is its own size in bytes, so that a caller built against another header is
 *              refused instead of misread. Structs hold 32-bit fields first, then 64-bit ones, and have no padding.
 *
 * Images are uint8 [count, height, width, 3], RGB. The encoder normalizes them. Arrays are row-major.
 */
#ifndef LRCN_H
#define LRCN_H

#include <stdint.h>

#if defined(__GNUC__)
#define LRCN_EXPORT __attribute__((visibility("default")))
#else
#define LRCN_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever a function or a struct of this header does. */
enum { LRCN_ABI_VERSION = 9 };

typedef enum lrcn_status {
  LRCN_OK = 0,
  LRCN_INVALID_ARGUMENT = 1,    /* the caller's mistake; nothing was done */
  LRCN_OUT_OF_MEMORY = 2,       /* the device, the machine or the container has no more */
  LRCN_DEVICE_UNAVAILABLE = 3,  /* the device asked for cannot be used, and why */
  LRCN_CANCELLED = 4,           /* lrcn_cancel was called */
  LRCN_INTERNAL = 5,            /* libtorch failed */
  LRCN_GROUP_FAILED = 6         /* another process of the group is gone, or did not come in time */
} lrcn_status;

typedef enum lrcn_device { LRCN_CPU = 0, LRCN_CUDA = 1 } lrcn_device;

/* LRCN_BF16 keeps parameters in float32 and computes under bfloat16 autocast. */
typedef enum lrcn_precision { LRCN_FP32 = 0, LRCN_BF16 = 1, LRCN_FP64 = 2 } lrcn_precision;

/* Where the image feature enters the LSTM: as the sequence's first element, or beside every word. */
typedef enum lrcn_inject { LRCN_FIRST = 0, LRCN_EVERY = 1 } lrcn_inject;

/* What a new model's parameters are: drawn as PyTorch draws them; the same but for word 0, which starts as a zero vector;
 * or all 0, which takes no time, for a model that is about to be read from a file. */
typedef enum lrcn_initialization { LRCN_DRAWN = 0, LRCN_ZERO_PADDING = 1, LRCN_ZERO = 2 } lrcn_initialization;

/* The image encoder's architecture: ResNet of basic blocks (ResNet-18, 34) or bottleneck blocks (50, 101, 152), or
 * EfficientNet-Lite. */
typedef enum lrcn_encoder { LRCN_RESNET_BASIC = 0, LRCN_RESNET_BOTTLENECK = 1, LRCN_EFFICIENTNET_LITE = 2 } lrcn_encoder;

typedef enum lrcn_optimizer { LRCN_ADAM = 0, LRCN_ADAMW = 1 } lrcn_optimizer;

/* A model on a device: parameters, buffers, optimizer moments, random state. */
typedef struct lrcn_engine lrcn_engine;

/* This process among others that it works with. */
typedef struct lrcn_group lrcn_group;

/* The recurrent state of captions being written, one row a hypothesis. */
typedef struct lrcn_decoding lrcn_decoding;

typedef struct lrcn_engine_options {
  int32_t size;             /* sizeof(lrcn_engine_options) */
  int32_t device;           /* lrcn_device; LRCN_CUDA + n: the nth GPU after the first */
  int32_t precision;        /* lrcn_precision */
  int32_t threads;          /* of the CPU, for this engine; 0: libtorch's choice */
  int32_t vocabulary_size;  /* rows of the embedding and of the output layer */
  int32_t embed_size;
  int32_t hidden_size;
  int32_t language_layers;  /* LSTM layers that read words alone; 0 or more */
  int32_t fusion_layers;    /* LSTM layers that read (language output, image feature); 1 or more */
  int32_t inject;           /* lrcn_inject */
  int32_t initialization;   /* lrcn_initialization */
  int32_t encoder;          /* lrcn_encoder */
  int32_t encoder_width;    /* ResNet: channels of the first layer, 64 in ResNet-50; EfficientNet-Lite: hundredths of the
                               width coefficient, 100 in Lite0 */
  int32_t encoder_blocks[7]; /* blocks of each stage: 3, 4, 6, 3 and then 0 in ResNet-50; 1, 2, 2, 3, 3, 4, 1 in Lite0 */
  int64_t seed;             /* of the initial parameters and of what training draws */
} lrcn_engine_options;

/* The shape of a batch: captions (rows) of images, as word ids. */
typedef struct lrcn_batch_shape {
  int32_t size; /* sizeof(lrcn_batch_shape) */
  int32_t images;
  int32_t height;         /* of the pixels; 0 where features are given */
  int32_t width;          /* the same */
  int32_t rows;           /* captions; each names its image by index */
  int32_t inputs_length;  /* words given to each row */
  int32_t targets_length; /* words to predict: inputs_length, or with LRCN_FIRST also inputs_length + 1, where the
                             output at the image's own step counts */
  int32_t crop;           /* side of the square that a training step cuts out of each image; else 0 */
} lrcn_batch_shape;

/* One training step. Dropout and the words that the model is given are drawn from the engine's random state. */
typedef struct lrcn_train_options {
  int32_t size;             /* sizeof(lrcn_train_options) */
  int32_t optimizer;        /* lrcn_optimizer */
  int32_t trainable_from;   /* the first stage of the encoder that trains; those before it keep their BatchNorm statistics
                               too, and the encoder's last layer always trains. ResNet: 0 all of it, 1 to 4 layer1 to
                               layer4, 5 none. EfficientNet-Lite: 0 all of it, 1 to 7 its MBConv stages, 8 the head,
                               9 none */
  int32_t batch_norm;       /* 1: BatchNorm of the learning part normalizes by the batch and moves its statistics (not
                               with a single image of at most 32 x 32 pixels, where the last stage has one value to go by);
                               2: by the batches of all processes of the engine's group; 0: it keeps to its
                               statistics, as in evaluation */
  int32_t update;           /* 1: the optimizer steps; 0: the gradients are kept and the next call adds to them */
  int32_t cuda_graphs;           /* 1: on a GPU, with libtorch 2.13, steps of a shape that came a few times before are recorded
                               and run as one launch, to the same numbers; 0, and elsewhere: never */
  double embedding_dropout;      /* share of the word vectors' elements that is dropped; so all three: 0 <= p < 1 */
  double lstm_dropout;     /* between LSTM layers */
  double output_dropout;    /* before the output layer */
  double label_smoothing;   /* share of each target that is spread over the vocabulary; 0 <= p < 1 */
  double scheduled_sampling; /* share of the words given, the first of each row apart, in whose place stands a word
                                drawn from what the model expects there; 0 <= p <= 1. Not with targets at the image's
                                step */
  double encoder_learning_rate; /* of the CNN without its last layer */
  double decoder_learning_rate; /* of all the rest */
  double encoder_weight_decay;
  double decoder_weight_decay;
  double beta1;
  double beta2;
  double epsilon;
  double max_gradient_norm; /* gradients are scaled down to this 2-norm; 0: never */
  int64_t counted_tokens;    /* counted targets of all batches whose gradients are added up, by which their losses are
                               divided; at least those of this batch, or 0 for just those */
} lrcn_train_options;

/* A process of a group. */
typedef struct lrcn_group_options {
  int32_t size;       /* sizeof(lrcn_group_options) */
  int32_t rank;       /* of this process: 0 <= rank < world_size */
  int32_t world_size; /* processes of the group */
  int32_t port;       /* of the store by which they find each other */
  int32_t hosted;     /* 1: the store is there; 0: rank 0 keeps it */
  int32_t timeout;    /* seconds that the others are waited for, at the beginning and in each call */
  char address[256];  /* of the store's machine: UTF-8 ending with NUL */
  char prefix[256];   /* of all that the group writes into the store, likewise */
} lrcn_group_options;

/* --- the library: plain, from any thread ------------------------------------------------------------------------ */

LRCN_EXPORT uint32_t lrcn_abi_version(void);

/*
 * What was built and what is loaded, as JSON:
 * {"abi", "torch", "torchLoaded", "cuda", "cudaDevices", "bf16", "compiler", "commit"}.
 * text: filled where capacity holds it, else LRCN_INVALID_ARGUMENT. length: filled with its bytes, without a NUL.
 */
LRCN_EXPORT int32_t lrcn_build_info(char *text, int32_t capacity, int32_t *length, char *message,
                                    int32_t message_capacity);

/* Engines and decodings that are not destroyed yet. */
LRCN_EXPORT int64_t lrcn_live_handles(void);

/* --- the engine ------------------------------------------------------------------------------------------------- */

/*
 * A new model. Its parameters are drawn as those of torchvision's ResNet, nn.LSTM, nn.Linear and nn.Embedding, which
 * takes a second, where options->initialization asks for that. Returns NULL on failure, with the code in *status (filled always).
 */
LRCN_EXPORT lrcn_engine *lrcn_engine_create(const lrcn_engine_options *options, int32_t *status, char *message,
                                            int32_t message_capacity);

/* Waits for the call in progress and frees the engine. NULL is allowed. */
LRCN_EXPORT void lrcn_engine_destroy(lrcn_engine *engine);

/*
 * Ends the calls that are running or waiting at this moment with LRCN_CANCELLED, as soon as each reaches a point where
 * it can stop; later calls are not concerned. A cancelled training step has not changed a parameter or moment, but may
 * have moved BatchNorm statistics and the random state. Returns at once.
 */
LRCN_EXPORT void lrcn_cancel(lrcn_engine *engine);

/*
 * bytes: filled with {in use, peak in use, held from the system} of libtorch's allocator for the engine's device,
 * shared by all engines of the process. length: 3.
 */
LRCN_EXPORT int32_t lrcn_memory(lrcn_engine *engine, int64_t *bytes, int32_t length, char *message,
                                int32_t message_capacity);

/*
 * count: filled with how often numbers were read back from the device, for which it must have done all that it was given:
 * what a GPU waits for. Outputs that are arrays are not counted.
 */
LRCN_EXPORT int32_t lrcn_reads(lrcn_engine *engine, int64_t *count, char *message, int32_t message_capacity);

/* threads: filled with the number of CPU threads that the engine computes with, libtorch's choice included. */
LRCN_EXPORT int32_t lrcn_threads(lrcn_engine *engine, int32_t *threads, char *message, int32_t message_capacity);

/* --- several processes ------------------------------------------------------------------------------------------ */

/*
 * Joins the processes of a group, once all have come. Returns NULL on failure, with the code in *status (filled always).
 * Common to the next functions but lrcn_group_leave and lrcn_group_destroy: all processes must make the same calls in the
 * same order, with an engine's training steps among them; each waits for the others. LRCN_GROUP_FAILED says which one is
 * gone or does not answer, and where it can be known why; then the group is of no more use.
 */
LRCN_EXPORT lrcn_group *lrcn_group_create(const lrcn_group_options *options, int32_t *status, char *message,
                                          int32_t message_capacity);

/* Leaves the group: only after its last call has returned. NULL is allowed. */
LRCN_EXPORT void lrcn_group_destroy(lrcn_group *group);

/* values: each added up over all processes, in place. */
LRCN_EXPORT int32_t lrcn_group_all_reduce(lrcn_group *group, double *values, int64_t length, char *message,
                                          int32_t message_capacity);

/*
 * Gathers the bytes of all processes, of any lengths: NULL with 0 for none. lengths: filled, [world_size], with each one's.
 * lrcn_group_gathered then gives them, one after the other by rank.
 */
LRCN_EXPORT int32_t lrcn_group_all_gather(lrcn_group *group, const uint8_t *bytes, int64_t bytes_length,
                                          int64_t *lengths, int32_t world_size, char *message,
                                          int32_t message_capacity);

/* Sends rank 0's bytes to all; those of others do not count. length: filled with how many lrcn_group_gathered then gives. */
LRCN_EXPORT int32_t lrcn_group_broadcast(lrcn_group *group, const uint8_t *bytes, int64_t bytes_length,
                                         int64_t *length, char *message, int32_t message_capacity);

/* bytes: filled with what the last call gathered, which is given away. Waits for no other process. */
LRCN_EXPORT int32_t lrcn_group_gathered(lrcn_group *group, uint8_t *bytes, int64_t bytes_length, char *message,
                                        int32_t message_capacity);

/* Says why this process ends, for the others' messages. reason: UTF-8 ending with NUL. Waits for no other process. */
LRCN_EXPORT int32_t lrcn_group_leave(lrcn_group *group, const char *reason, char *message, int32_t message_capacity);

/*
 * From here on the engine's training steps are those of all processes of the group, which must have the same parameters:
 * each gives its part of the batch, gradients are averaged while they are computed (c10d's Reducer), and a step's loss and
 * counted targets are those of all. The engine keeps the group alive.
 */
LRCN_EXPORT int32_t lrcn_engine_join(lrcn_engine *engine, lrcn_group *group, char *message, int32_t message_capacity);

/*
 * seconds: filled with how long the backward pass of the last step with a group computed, how long gradients were
 * averaged, and how much of that while it computed; 0 before there was such a step. length: 3.
 */
LRCN_EXPORT int32_t lrcn_averaging(lrcn_engine *engine, double *seconds, int32_t length, char *message,
                                   int32_t message_capacity);

/* --- training --------------------------------------------------------------------------------------------------- */

/*
 * Common to the next functions but lrcn_drop_gradients: the batch's images are pixels [images, height, width, 3] or,
 * where the CNN does not learn, features [images, feature size] that lrcn_encode gave; the other is NULL with length 0.
 * image_of_row [rows], inputs [rows, inputs_length], targets [rows, targets_length].
 */

/*
 * One step of the optimizer on the mean cross-entropy of the counted targets (those that are not -1), or with update 0
 * a part of one: gradients are added up until a call has update 1. A call that fails after it has begun drops what was
 * added up; one refused for its arguments, or cancelled while it waits, does not.
 * crops: [images, 3], {top, left, mirrored} of the square that is seen of each image instead of the whole: rows above
 * it, columns on its left, and 1 where left and right are exchanged; NULL with length 0 where the shape's crop is 0.
 * row_weights: [rows], by which the losses of each row's words are multiplied before they are added up, negative ones
 * too; the mean is still over the counted targets. NULL with length 0 for 1.
 * result: filled with {mean loss of this batch, counted targets, gradient 2-norm before clipping, or 0 without update};
 * result_length: 3. Where the norm is not finite, no parameter or moment has changed. NULL with 0 leaves the numbers on
 * the device, so that it is not waited for, until lrcn_step_results brings them; before that no step has a result.
 */
LRCN_EXPORT int32_t lrcn_train_step(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                    int64_t pixels_length, const float *features, int64_t features_length,
                                    const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                                    int64_t inputs_length, const int32_t *targets, int64_t targets_length,
                                    const int32_t *crops, int64_t crops_length, const float *row_weights,
                                    int64_t row_weights_length, const lrcn_train_options *options, double *result,
                                    int32_t result_length, char *message, int32_t message_capacity);

/*
 * Brings the numbers of all steps whose result was NULL, oldest first: each as in lrcn_train_step.
 * results: filled with them; capacity: elements of it, 3 for each step, else LRCN_INVALID_ARGUMENT and they stay.
 * steps: filled with how many there were. At most 4096 can wait.
 */
LRCN_EXPORT int32_t lrcn_step_results(lrcn_engine *engine, double *results, int64_t capacity, int64_t *steps,
                                      char *message, int32_t message_capacity);

/* Drops the gradients that were added up since the optimizer's last step. Cannot be cancelled. */
LRCN_EXPORT int32_t lrcn_drop_gradients(lrcn_engine *engine, char *message, int32_t message_capacity);

/*
 * The same loss with nothing dropped, smoothed or sampled, and BatchNorm's running statistics.
 * result: filled with {loss, counted targets}; result_length: 2.
 */
LRCN_EXPORT int32_t lrcn_evaluate_step(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                       int64_t pixels_length, const float *features, int64_t features_length,
                                       const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                                       int64_t inputs_length, const int32_t *targets, int64_t targets_length,
                                       double *result, int32_t result_length, char *message, int32_t message_capacity);

/*
 * log_probabilities: filled, [rows], the natural logarithm of the probability of each row's counted targets, with the
 * statistics of evaluation. length: rows.
 */
LRCN_EXPORT int32_t lrcn_score(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                               int64_t pixels_length, const float *features, int64_t features_length,
                               const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                               int64_t inputs_length, const int32_t *targets, int64_t targets_length,
                               double *log_probabilities, int64_t length, char *message, int32_t message_capacity);

/*
 * What of an image speaks for each word of a caption, with the statistics of evaluation: Grad-CAM (Selvaraju et al. 2017,
 * https://arxiv.org/abs/1610.02391) on the CNN's last convolution. The shape's images and rows are 1. Neither a parameter
 * nor a gradient that is kept changes.
 * probabilities: filled, [targets_length], of the counted targets, and 0 of the others.
 * heat: filled, [targets_length, ceil(height / 32), ceil(width / 32)], for each counted target and place of the grid that
 * the last convolution gives: the sum over the channels of the channel's value there times the mean over the grid
 * of the gradient, to that channel, of the natural logarithm of the target's probability; 0 where that is less, and for the
 * other targets.
 */
LRCN_EXPORT int32_t lrcn_explain(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                 int64_t pixels_length, const int32_t *inputs, int64_t inputs_length,
                                 const int32_t *targets, int64_t targets_length, double *probabilities,
                                 int64_t probabilities_length, double *heat, int64_t heat_length, char *message,
                                 int32_t message_capacity);

/*
 * logits: filled, [rows, targets_length, vocabulary_size], with the words of `inputs` given and the statistics of
 * evaluation. The shape's targets_length decides whether the image's own step counts.
 */
LRCN_EXPORT int32_t lrcn_logits(lrcn_engine *engine, const lrcn_batch_shape *shape, const uint8_t *pixels,
                                int64_t pixels_length, const float *features, int64_t features_length,
                                const int32_t *image_of_row, int64_t image_of_row_length, const int32_t *inputs,
                                int64_t inputs_length, double *logits, int64_t logits_length, char *message,
                                int32_t message_capacity);

/* --- captions --------------------------------------------------------------------------------------------------- */

/* Floats in the feature of one image, what the encoder's last layer reads: 8 encoder_width (ResNet of basic
 * blocks), 32 encoder_width (bottleneck), 1280 (EfficientNet-Lite). */
LRCN_EXPORT int32_t lrcn_feature_size(lrcn_engine *engine, int32_t *size, char *message, int32_t message_capacity);

/* features: filled, [images, feature size], with the statistics of evaluation. */
LRCN_EXPORT int32_t lrcn_encode(lrcn_engine *engine, int32_t images, int32_t height, int32_t width,
                                const uint8_t *pixels, int64_t pixels_length, float *features, int64_t features_length,
                                char *message, int32_t message_capacity);

/*
 * Begins captions for images with these features [images, feature size]. The decoding keeps the model alive.
 * Returns NULL on failure, with the code in *status (filled always).
 */
LRCN_EXPORT lrcn_decoding *lrcn_decoding_create(lrcn_engine *engine, int32_t images, const float *features,
                                                int64_t features_length, int32_t *status, char *message,
                                                int32_t message_capacity);

/* Frees the state. NULL is allowed. */
LRCN_EXPORT void lrcn_decoding_destroy(lrcn_decoding *decoding);

/*
 * Row r goes on from row parents[r] of the last step (at the first step: begins at image parents[r]) with words[r].
 * With LRCN_FIRST the first step is the image's own: words is NULL. There are `rows` rows from here on.
 * next_tokens, log_probabilities: filled, [rows, k], the k most probable next words of each row, best first, with
 * natural logarithms.
 */
LRCN_EXPORT int32_t lrcn_decode_step(lrcn_decoding *decoding, int32_t rows, const int32_t *parents,
                                     int64_t parents_length, const int32_t *words, int64_t words_length, int32_t k,
                                     int32_t *next_tokens, int64_t next_words_length, float *log_probabilities,
                                     int64_t log_probabilities_length, char *message, int32_t message_capacity);

/* --- images ----------------------------------------------------------------------------------------------------- */

/*
 * Scales an image [height, width, 3] with an antialiased bilinear filter until its short side is short_side pixels
 * (the long one rounded down), and cuts the center crop x crop out of it, as torchvision's Resize and CenterCrop do.
 * cropped: filled, [crop, crop, 3].
 */
LRCN_EXPORT int32_t lrcn_resize_crop(lrcn_engine *engine, int32_t height, int32_t width, const uint8_t *pixels,
                                     int64_t pixels_length, int32_t short_side, int32_t crop, uint8_t *cropped,
                                     int64_t cropped_length, char *message, int32_t message_capacity);

/* --- state by name ---------------------------------------------------------------------------------------------- */

/*
 * All tensors as JSON: [{"name", "kind", "dtype", "shape"}], kind one of parameter, buffer, gradient (grad.NAME, of
 * what learnt in the last training step, until they are dropped), optimizer (adam.exp_avg.NAME, adam.exp_avg_sq.NAME,
 * adam.step.encoder, adam.step.decoder, once a training step has run or one was written) and random (rng); dtype one
 * of F64, F32, I64, U8.
 * text: filled where capacity holds it; NULL with 0 asks for the length alone. length: filled with its bytes.
 */
LRCN_EXPORT int32_t lrcn_tensors(lrcn_engine *engine, char *text, int64_t capacity, int64_t *length, char *message,
                                 int32_t message_capacity);

/* bytes: filled with the tensor's elements, little-endian, row-major. name: UTF-8 ending with NUL. */
LRCN_EXPORT int32_t lrcn_tensor_read(lrcn_engine *engine, const char *name, uint8_t *bytes, int64_t bytes_length,
                                     char *message, int32_t message_capacity);

/* Sets a tensor to these bytes. Gradients cannot be written. Cannot be cancelled. */
LRCN_EXPORT int32_t lrcn_tensor_write(lrcn_engine *engine, const char *name, const uint8_t *bytes,
                                      int64_t bytes_length, char *message, int32_t message_capacity);

#ifdef __cplusplus
}
#endif

#endif
