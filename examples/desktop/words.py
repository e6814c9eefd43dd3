"""What the window says, in three languages. No sentence says or hints that the person did wrong.

`{...}` are filled in by the window; what a list or a file says of itself goes in as plain text.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLocale


@dataclass(frozen=True)
class Words:
    """One language's sentences, named after what they say."""

    code: str
    language: str

    # The window
    choose: str
    write: str
    send: str
    remove: str
    drop: str
    settings: str
    languages: str
    appearance: str
    as_system: str
    light: str
    dark: str
    conversation: str
    pictures: str
    all_files: str
    too_many: str
    too_large: str
    not_read: str

    # Whom the window talks to, and whether pictures are checked
    echo: str
    echo_line: str
    encrypted: str
    waiting: str
    offline: str
    starting: str
    checked: str
    unchecked: str
    protected: str
    demo: str
    unsigned: str
    stale: str
    unprotected: str
    again: str

    # A message and what becomes of it
    you: str
    at: str
    picture: str
    checking: str
    sending: str
    cancel: str
    sent: str
    cancelled: str
    declined: str
    failed: str
    no_check: str
    little_detail: str
    not_a_picture: str
    partly: str
    one_hash: str

    # The cards
    blocked: str
    matches: str
    list_says: str
    on_device: str
    host_does: str
    care: str
    unread_held: str
    help: str
    appeal: str
    opens: str
    reference: str
    copy: str
    copied: str
    ask: str
    resembles: str
    unread: str
    own_choice: str
    send_anyway: str
    dont_send: str

    # Why a picture could not be read
    took_long: str
    too_big: str
    damaged: str
    unknown_kind: str


ENGLISH = Words(
    code="en",
    language="English",
    choose="Choose a picture",
    write="Write a message",
    send="Send",
    remove="Remove {name}",
    drop="Drop it to add it to your message",
    settings="Settings",
    languages="Language",
    appearance="Appearance",
    as_system="As the system",
    light="Light",
    dark="Dark",
    conversation="Conversation",
    pictures="Pictures",
    all_files="All files",
    too_many="No more than {count} at a time. Send these first.",
    too_large="{name} is larger than {size} and cannot be added.",
    not_read="{name} cannot be opened.",
    echo="Echo",
    echo_line="Nothing leaves this window. It shows what would have been sent.",
    encrypted="Encrypted, over {server}",
    waiting="Waiting for {name} to join. Messages go out then.",
    offline="There is no connection.",
    starting="Testing the picture check…",
    checked="Pictures are checked on this device",
    unchecked="Pictures are not sent for now",
    protected="Before a picture is sent, it is compared on this device with the list “{lists}”.",
    demo="It is for trying out, and holds harmless pictures.",
    unsigned="It is not signed.",
    stale="It is past its date and may have been corrected since.",
    unprotected="The picture check does not work. No pictures are sent until it does; "
    "you can still write.",
    again="Try again",
    you="You",
    at="{who}, {time}",
    picture="Picture",
    checking="Checking on this device…",
    sending="Sending…",
    cancel="Cancel",
    sent="Sent",
    cancelled="Cancelled. It was not sent.",
    declined="Not sent, as you chose.",
    failed="It was not sent; something went wrong.",
    no_check="It was not sent, because the picture check does not work.",
    little_detail="It has too little detail to compare. Only the very same file would be noticed.",
    not_a_picture="It is not a picture. Only the very same file would be noticed.",
    partly="Not all of it could be compared.",
    one_hash="It was compared in one of two ways; the other is not installed.",
    blocked="This picture can't be sent",
    matches="It matches an entry on the list “{list}”, kept by {publisher}.",
    list_says="The list says: “{text}”",
    on_device="It was checked on this device; doorsill sends nothing.",
    host_does="What this app does with it: it keeps no copy and no record, and tells nobody.",
    care="A match can be wrong, and it says nothing about you. If you are shown in it, or it came "
    "to you unasked, there is help.",
    unread_held="It could not be read in full, and this app sends only what can be checked.",
    help="Get help",
    appeal="Ask for a review",
    opens="{what}: opens {host} in your browser",
    reference="Reference: {code}",
    copy="Copy",
    copied="Copied",
    ask="Send this picture?",
    resembles="It resembles an entry on the list “{list}”. That can be a coincidence.",
    unread="It could not be read in full, so not all of it was compared.",
    own_choice="Whether it is sent is up to you.",
    send_anyway="Send anyway",
    dont_send="Don't send",
    took_long="Reading it took too long.",
    too_big="It is larger or more intricate than what is read here.",
    damaged="A part of it is damaged or missing.",
    unknown_kind="This kind of picture is not read here.",
)

GERMAN = Words(
    code="de",
    language="Deutsch",
    choose="Bild auswählen",
    write="Nachricht schreiben",
    send="Senden",
    remove="{name} entfernen",
    drop="Loslassen, um es der Nachricht hinzuzufügen",
    settings="Einstellungen",
    languages="Sprache",
    appearance="Darstellung",
    as_system="Wie das System",
    light="Hell",
    dark="Dunkel",
    conversation="Unterhaltung",
    pictures="Bilder",
    all_files="Alle Dateien",
    too_many="Höchstens {count} auf einmal. Sende zuerst diese.",
    too_large="{name} ist größer als {size} und kann nicht hinzugefügt werden.",
    not_read="{name} lässt sich nicht öffnen.",
    echo="Echo",
    echo_line="Nichts verlässt dieses Fenster. Es zeigt, was gesendet worden wäre.",
    encrypted="Verschlüsselt, über {server}",
    waiting="{name} ist noch nicht da. Nachrichten gehen danach hinaus.",
    offline="Es besteht keine Verbindung.",
    starting="Die Bildprüfung wird getestet …",
    checked="Bilder werden auf diesem Gerät geprüft",
    unchecked="Bilder werden zurzeit nicht gesendet",
    protected="Bevor ein Bild gesendet wird, wird es auf diesem Gerät mit der Liste „{lists}“ "
    "verglichen.",
    demo="Sie ist zum Ausprobieren da und enthält harmlose Bilder.",
    unsigned="Sie ist nicht signiert.",
    stale="Ihr Datum ist überschritten; sie wurde womöglich inzwischen berichtigt.",
    unprotected="Die Bildprüfung funktioniert nicht. Bis sie es tut, werden keine Bilder gesendet; "
    "schreiben kannst du weiterhin.",
    again="Nochmals versuchen",
    you="Du",
    at="{who}, {time}",
    picture="Bild",
    checking="Wird auf diesem Gerät geprüft …",
    sending="Wird gesendet …",
    cancel="Abbrechen",
    sent="Gesendet",
    cancelled="Abgebrochen. Es wurde nicht gesendet.",
    declined="Nicht gesendet, wie du gewählt hast.",
    failed="Es wurde nicht gesendet; etwas ist schiefgegangen.",
    no_check="Es wurde nicht gesendet, weil die Bildprüfung nicht funktioniert.",
    little_detail="Es hat zu wenig Einzelheiten für einen Vergleich. Nur genau dieselbe Datei "
    "würde bemerkt.",
    not_a_picture="Es ist kein Bild. Nur genau dieselbe Datei würde bemerkt.",
    partly="Nicht alles davon konnte verglichen werden.",
    one_hash="Es wurde auf eine von zwei Arten verglichen; die andere ist nicht installiert.",
    blocked="Dieses Bild kann nicht gesendet werden",
    matches="Es stimmt mit einem Eintrag der Liste „{list}“ überein, geführt von {publisher}.",
    list_says="Die Liste sagt dazu: „{text}“",
    on_device="Geprüft wurde auf diesem Gerät; doorsill sendet nichts.",
    host_does="Was diese App damit tut: Sie behält keine Kopie, notiert nichts und sagt es "
    "niemandem.",
    care="Eine Übereinstimmung kann falsch sein, und sie sagt nichts über dich. Falls du darauf zu "
    "sehen bist oder es ungefragt bekommen hast, gibt es Hilfe.",
    unread_held="Es konnte nicht ganz gelesen werden, und diese App sendet nur, was sich prüfen "
    "lässt.",
    help="Hilfe bekommen",
    appeal="Um Überprüfung bitten",
    opens="{what}: öffnet {host} im Browser",
    reference="Kennung: {code}",
    copy="Kopieren",
    copied="Kopiert",
    ask="Dieses Bild senden?",
    resembles="Es ähnelt einem Eintrag der Liste „{list}“. Das kann Zufall sein.",
    unread="Es konnte nicht ganz gelesen werden; darum wurde nicht alles verglichen.",
    own_choice="Ob es gesendet wird, entscheidest du.",
    send_anyway="Trotzdem senden",
    dont_send="Nicht senden",
    took_long="Das Lesen hat zu lange gedauert.",
    too_big="Es ist größer oder verschachtelter als das, was hier gelesen wird.",
    damaged="Ein Teil davon ist beschädigt oder fehlt.",
    unknown_kind="Diese Art von Bild wird hier nicht gelesen.",
)

SPANISH = Words(
    code="es",
    language="Español",
    choose="Elegir una imagen",
    write="Escribe un mensaje",
    send="Enviar",
    remove="Quitar {name}",
    drop="Suéltala para añadirla a tu mensaje",
    settings="Ajustes",
    languages="Idioma",
    appearance="Aspecto",
    as_system="Como el sistema",
    light="Claro",
    dark="Oscuro",
    conversation="Conversación",
    pictures="Imágenes",
    all_files="Todos los archivos",
    too_many="No más de {count} a la vez. Envía primero estas.",
    too_large="{name} ocupa más de {size} y no se puede añadir.",
    not_read="No se puede abrir {name}.",
    echo="Eco",
    echo_line="Nada sale de esta ventana. Muestra lo que se habría enviado.",
    encrypted="Cifrado, a través de {server}",
    waiting="{name} aún no se ha unido. Los mensajes saldrán después.",
    offline="No hay conexión.",
    starting="Probando la comprobación de imágenes…",
    checked="Las imágenes se comprueban en este dispositivo",
    unchecked="Por ahora no se envían imágenes",
    protected="Antes de enviar una imagen, se compara en este dispositivo con la lista «{lists}».",
    demo="Es de prueba y contiene imágenes inofensivas.",
    unsigned="No está firmada.",
    stale="Ha pasado su fecha y puede haberse corregido desde entonces.",
    unprotected="La comprobación de imágenes no funciona. Hasta que funcione no se envía ninguna "
    "imagen; puedes seguir escribiendo.",
    again="Reintentar",
    you="Tú",
    at="{who}, {time}",
    picture="Imagen",
    checking="Comprobando en este dispositivo…",
    sending="Enviando…",
    cancel="Cancelar",
    sent="Enviada",
    cancelled="Cancelada. No se ha enviado.",
    declined="No se ha enviado, como elegiste.",
    failed="No se ha enviado; algo ha fallado.",
    no_check="No se ha enviado, porque la comprobación de imágenes no funciona.",
    little_detail="Tiene muy poco detalle para compararla. Solo se notaría exactamente el mismo "
    "archivo.",
    not_a_picture="No es una imagen. Solo se notaría exactamente el mismo archivo.",
    partly="No se ha podido comparar del todo.",
    one_hash="Se ha comparado de una de dos maneras; la otra no está instalada.",
    blocked="Esta imagen no se puede enviar",
    matches="Coincide con una entrada de la lista «{list}», mantenida por {publisher}.",
    list_says="La lista dice: «{text}»",
    on_device="Se ha comprobado en este dispositivo; doorsill no envía nada.",
    host_does="Qué hace esta aplicación con ella: no guarda copia ni registro y no avisa a nadie.",
    care="Una coincidencia puede ser un error y no dice nada de ti. Si apareces en ella, o te "
    "llegó sin pedirla, hay ayuda.",
    unread_held="No se ha podido leer entera, y esta aplicación solo envía lo que se puede "
    "comprobar.",
    help="Obtener ayuda",
    appeal="Pedir una revisión",
    opens="{what}: abre {host} en el navegador",
    reference="Referencia: {code}",
    copy="Copiar",
    copied="Copiada",
    ask="¿Enviar esta imagen?",
    resembles="Se parece a una entrada de la lista «{list}». Puede ser casualidad.",
    unread="No se ha podido leer entera, así que no se ha comparado del todo.",
    own_choice="Tú decides si se envía.",
    send_anyway="Enviar igualmente",
    dont_send="No enviar",
    took_long="Leerla llevaba demasiado tiempo.",
    too_big="Es más grande o compleja de lo que aquí se lee.",
    damaged="Una parte está dañada o falta.",
    unknown_kind="Este tipo de imagen no se lee aquí.",
)

ALL = {words.code: words for words in (ENGLISH, GERMAN, SPANISH)}

# The word before the colon with which a verdict's reason begins where a picture was not read.
_UNREAD = {
    "time": "took_long",
    **dict.fromkeys(("broken", "file", "crash"), "damaged"),
    **dict.fromkeys(("format", "colour"), "unknown_kind"),
}


def of_this_system() -> Words:
    """Return the first of the person's languages that is here, else English."""
    for tag in QLocale.system().uiLanguages():
        if tag.split("-")[0] in ALL:
            return ALL[tag.split("-")[0]]
    return ENGLISH


def why_unread(words: Words, reason: str) -> str:
    """Return in plain words why a picture could not be read, from a verdict's reason."""
    said: str = getattr(words, _UNREAD.get(reason.partition(":")[0], "too_big"))
    return said
