/* A host in Qt: says of each file whether it would be sent. host LIST FILE... */
#include <QCoreApplication>
#include <QFile>
#include <QTextStream>

#include "views.h"

int main(int argc, char **argv) {
  QCoreApplication app(argc, argv);
  QTextStream out(stdout);
  const QStringList arguments = app.arguments();
  if (arguments.size() < 3) {
    out << "host LIST FILE...\n";
    return 2;
  }
  try {
    const auto gate = Gate::open({arguments[1]}, viewsOf);
    for (const QString &path : arguments.mid(2)) {
      QFile file(path);
      if (!file.open(QIODevice::ReadOnly))
        throw GateError((path + ": " + file.errorString()).toStdString());
      /* The bytes that are screened are the bytes that are sent. A window watches the future. */
      const QByteArray sent = file.readAll();
      const Verdict verdict = gate->screenLater(sent, viewsOf).result();
      static const char *const actions[] = {"send", "ask first", "do not send"};
      out << path << ": " << actions[verdict.action] << ". " << verdict.reason << "\n";
    }
  } catch (const GateError &error) {
    out << error.what() << "\n";
    return 3;
  }
  return 0;
}
