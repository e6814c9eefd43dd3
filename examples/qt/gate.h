/* doorsill for Qt: pictures are compared with hash lists on a thread of the pool, before they are
 * sent. Copy gate.* and views.* into a client; doorsill.h says what each value means. */
#pragma once

#include <doorsill.h>

#include <QFuture>
#include <QImage>
#include <QList>
#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

/* What is known of a file or of pixels. The images are shared, not copied, and a snapshot: whoever
 * changes one of them afterwards changes a copy of their own. */
struct Reading {
  QList<QImage> views;
  QList<doorsill_digests> digests;
  doorsill_reading reading = DOORSILL_READ_WHOLE;
};

struct Match {
  QString list, entry, category, message, help, appeal, hasher;
  int distance = 0;
  int profile = DOORSILL_FULL;
  int view = 0; /* index into Reading::views */
  doorsill_evidence evidence = DOORSILL_NO_EVIDENCE;
  doorsill_action action = DOORSILL_SEND;
  bool test = false; /* the published test card */
};

struct Verdict {
  doorsill_outcome outcome = DOORSILL_UNREADABLE;
  doorsill_action action = DOORSILL_BLOCK; /* what is not checked is not sent */
  doorsill_evidence evidence = DOORSILL_NO_EVIDENCE;
  QString reason;
  int quality = 0;
  QList<Match> matches; /* what decided comes first */
};

/* A list or the test card that is not as it should be; what() names it and says what to do. */
class GateError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/* Stands before lists. All methods may be called from any thread; to swap lists, open another Gate.
 */
class Gate {
 public:
  using Decode = std::function<Reading(const QByteArray &)>;

  /* Opens list files that were checked before (doorsill_release_check) or came with the app, and
   * screens the test card, decoded as `decode` decodes any picture. Throws GateError: without a
   * Gate no host claims that pictures are checked. */
  static std::shared_ptr<const Gate> open(const QStringList &lists, const Decode &decode);
  static std::shared_ptr<const Gate> open(const QStringList &lists, const Decode &decode,
                                          const doorsill_policy &policy);

  /* The verdict, here and now; nothing at all once `isCancelled` says so. */
  std::optional<Verdict> screen(const Reading &reading,
                                const std::function<bool()> &isCancelled = {}) const;

  /* The same on a thread of the pool, decoding included. `cancel()` of the future returns at once,
   * and the thread stops within a hash, 6 ms at 12 megapixels; a decoder ends first. */
  QFuture<Verdict> screenLater(const QByteArray &file, const Decode &decode) const;
  QFuture<Verdict> screenLater(const Reading &reading) const;

 private:
  using List = std::unique_ptr<doorsill_list, decltype(&doorsill_list_close)>;
  explicit Gate(const doorsill_policy &policy) : policy_(policy) {}
  Verdict named(const doorsill_verdict &verdict, const QList<int> &imageOf) const;

  std::vector<List> lists_;
  std::vector<const doorsill_list *> pointers_;
  doorsill_policy policy_;
  std::weak_ptr<const Gate> self_; /* so that screenings keep the lists that they began with */
};

/* Qt's pixels as the core takes them, without a copy for the formats of most images. */
doorsill_pixels pixelsOf(const QImage &image);
/* The image itself, or one in a format that the core takes. */
QImage accepted(const QImage &image);
