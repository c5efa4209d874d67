/* kecs_print.h -- what kecs prints. Data go to stdout, messages and the progress bar to stderr.
 *
 * Rows come from anywhere, and a terminal obeys control characters: none ever gets into a table. In JSON lines a
 * newline between the members of a nested document becomes a blank; nothing else is ever changed in a document. An
 * export folds white space instead, so that it comes back byte for byte. */

#include <sys/ioctl.h>

/* ---- text that grows ---- */

typedef struct buffer {
  char *data;
  size_t len;
  size_t room;
} buffer;

/* Out of memory ends the program: there is nothing that it could still do. */
static void *need(void *memory) {
  if (!memory) {
    complain("out of memory");
    exit(EXIT_FAILED);
  }
  return memory;
}

static void add_bytes(buffer *out, const char *bytes, size_t len) {
  if (out->room - out->len < len + 1) {
    out->room = (out->room + len + 64) * 2;
    out->data = need(realloc(out->data, out->room));
  }
  memcpy(out->data + out->len, bytes, len);
  out->len += len;
  out->data[out->len] = '\0';
}

static void add_text(buffer *out, const char *text) {
  add_bytes(out, text, strlen(text));
}

static void add_number(buffer *out, long long number) {
  char text[32];
  add_bytes(out, text, (size_t)snprintf(text, sizeof text, "%lld", number));
}

/* ---- characters ---- */

/* The bytes of the character at `text`, or 0 when it is no UTF-8. A terminator counts as no character. */
static size_t character(const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  bool first = at[0] >= 0xC2 && at[0] < 0xF5;
  size_t len = at[0] == 0 ? 0 : at[0] < 0x80 ? 1 : !first ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < len; i++) {
    if ((at[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  bool overlong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
  bool outside = (at[0] == 0xED && at[1] >= 0xA0) || (at[0] == 0xF4 && at[1] >= 0x90);
  return len > 1 && (overlong || outside) ? 0 : len;
}

/* A text as a JSON string; what is no UTF-8, as a file's name may be, becomes U+FFFD. */
static void add_quoted(buffer *out, const char *text) {
  char escape[8];
  add_text(out, "\"");
  while (*text) {
    size_t len = character(text);
    if (len == 0) {
      add_text(out, "\\ufffd");
      len = 1;
    } else if (*text == '"' || *text == '\\') {
      add_text(out, *text == '"' ? "\\\"" : "\\\\");
    } else if ((unsigned char)*text < 0x20 || *text == 0x7F) {
      add_bytes(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*text));
    } else {
      add_bytes(out, text, len);
    }
    text += len;
  }
  add_text(out, "\"");
}

/* A document on one line: a raw newline can only stand between its tokens. */
static void add_line(buffer *out, const char *document) {
  size_t start = out->len;
  add_text(out, document);
  for (size_t i = start; i < out->len; i++) {
    if (out->data[i] == '\n' || out->data[i] == '\r') {
      out->data[i] = ' ';
    }
  }
}

/* The same, so that import has the document back byte for byte: tab is written as tab tab, newline as tab blank tab,
 * carriage return as tab blank blank. All of it is white space to other readers of JSON. */
static void add_folded(buffer *out, const char *document) {
  while (*document) {
    size_t len = strcspn(document, "\t\n\r");
    add_bytes(out, document, len);
    document += len;
    if (*document) {
      add_text(out, *document == '\t' ? "\t\t" : *document == '\n' ? "\t \t" : "\t  ");
      document++;
    }
  }
}

/* A text for a terminal, and how many characters wide it is. */
static void add_shown(buffer *out, const char *text, size_t *out_width) {
  size_t width = 0;
  while (*text) {
    size_t len = character(text);
    bool control = len == 1 && ((unsigned char)*text < 0x20 || *text == 0x7F);
    bool control_c1 = len == 2 && (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
    if (len == 0 || control || control_c1) {
      add_text(out, *text == '\n' || *text == '\r' || *text == '\t' ? " " : "?");
    } else {
      add_bytes(out, text, len);
    }
    text += len ? len : 1;
    width++;
  }
  *out_width = width;
}

/* The bytes of the first `width` characters. */
static size_t bytes_of(const char *text, size_t width) {
  size_t bytes = 0;
  while (width-- > 0 && text[bytes]) {
    bytes += character(text + bytes) ? character(text + bytes) : 1;
  }
  return bytes;
}

static void print_buffer(buffer *out) {
  if (out->len > 0) {
    fwrite(out->data, 1, out->len, stdout);
  }
  out->len = 0;
}

/* ---- columns of rows ---- */

static bool is_number(const kecs_column_info *column) {
  return column->type == KECS_TYPE_INT || column->type == KECS_TYPE_OPTI || column->type == KECS_TYPE_RANK;
}

static bool ends_with(const char *text, const char *end) {
  size_t len = strlen(text);
  return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

static bool in_address(const kecs_kind_info *info, int column) {
  for (int i = 0; i < info->address.count; i++) {
    if (info->address.columns[i] == column) {
      return true;
    }
  }
  return false;
}

/* A column's value as text: times as ISO 8601 or as epoch seconds. */
static void add_value(buffer *out, const kecs_kind_info *info, const void *row, int column, unsigned flags) {
  char small[256];
  size_t len = 0;
  const kecs_column_info *about = &info->columns[column];
  if (!kecs_record_text(info, row, column, small, sizeof small, &len)) {
    return;
  }
  if (len >= sizeof small) {
    char *whole = need(malloc(len + 1));
    (void)kecs_record_text(info, row, column, whole, len + 1, NULL);
    add_text(out, whole);
    free(whole);
  } else if (about->type == KECS_TYPE_TIME && (flags & KECS_JSON_EPOCH)) {
    int64_t micros = 0;
    memcpy(&micros, (const char *)row + about->offset, sizeof micros);
    add_number(out, (long long)(micros / 1000000));
    if (micros % 1000000 != 0) {
      snprintf(small, sizeof small, ".%06d", (int)(micros % 1000000 < 0 ? -(micros % 1000000) : micros % 1000000));
      add_text(out, small);
    }
  } else {
    add_text(out, small);
  }
}

/* The resource part of an ARN, after its five colons; any other text as it is. */
static const char *without_head(const char *text) {
  const char *at = text;
  for (int colons = 0; strncmp(text, "arn:", 4) == 0 && colons < 5; colons++) {
    at = strchr(at, ':');
    if (!at) {
      return text;
    }
    at++;
  }
  return at;
}

enum { TABLE_COLUMNS_MAX = 64, CELL_WIDTH = 40, CELL_WIDTH_MIN = 12 };

typedef struct choice {
  int columns[TABLE_COLUMNS_MAX];
  int count;
  int spare_from; /* columns from here to spare_to are left out where a terminal is too narrow */
  int spare_to;
} choice;

static void choose(choice *out, int column) {
  for (int i = 0; i < out->count; i++) {
    if (out->columns[i] == column) {
      return;
    }
  }
  if (out->count < TABLE_COLUMNS_MAX) {
    out->columns[out->count++] = column;
  }
}

/* Texts that say something about a row by themselves. */
static bool is_telling(const kecs_kind_info *info, int column) {
  const kecs_column_info *about = &info->columns[column];
  const char *name = about->name;
  return about->type == KECS_TYPE_TEXT && about->json[0] && !ends_with(name, "arn") && strcmp(name, "id") != 0 &&
         strncmp(about->json, "kecs.", 5) != 0;
}

/* What a table of a kind shows when nobody asks for more: the address, states, counts, a few more words, the time of
 * the kind's order, the version. */
static void choose_default(const kecs_kind_info *info, choice *out) {
  int numbers = 0;
  memset(out, 0, sizeof *out);
  for (int i = 0; i < info->address.count; i++) {
    choose(out, info->address.columns[i]);
  }
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *about = &info->columns[i];
    bool server = (about->flags & KECS_COLUMN_SERVER) != 0;
    if (is_telling(info, i) && server && about->group != KECS_GROUP_KEY && out->count < 6) {
      choose(out, i);
    }
  }
  for (int i = 0; i < info->column_count; i++) {
    const kecs_column_info *about = &info->columns[i];
    bool ours = (about->flags & KECS_COLUMN_AUTO) != 0;
    if (is_number(about) && about->type != KECS_TYPE_OPTI && about->json[0] && !ours && numbers < 4) {
      numbers++;
      choose(out, i);
    }
  }
  out->spare_from = out->count;
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < info->column_count && out->count < 7; i++) {
      bool always = (info->columns[i].flags & KECS_COLUMN_NOT_NULL) != 0;
      if (is_telling(info, i) && (always || (pass == 1 && info->columns[i].group != KECS_GROUP_STATUS))) {
        choose(out, i);
      }
    }
  }
  out->spare_to = out->count;
  for (int i = 0; i < info->order.count; i++) {
    if (info->columns[info->order.columns[i]].type == KECS_TYPE_TIME) {
      choose(out, info->order.columns[i]);
    }
  }
  if (kecs_column_find(info, "version") >= 0) {
    choose(out, kecs_column_find(info, "version"));
  }
}

/* ---- changes ---- */

static void add_time(buffer *out, int64_t stamp) {
  int64_t micros = kecs_stamp_time(stamp);
  time_t seconds = (time_t)(micros / 1000000);
  struct tm parts;
  char text[64];
  char whole[96];
  if (!gmtime_r(&seconds, &parts) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
    memcpy(text, "?", 2);
  }
  snprintf(whole, sizeof whole, "%s.%03dZ", text, (int)(micros / 1000 % 1000));
  add_text(out, whole);
}

static const char *op_name(kecs_change_op op) {
  static const char *const names[] = {"?", "created", "updated", "deleted", "left"};
  return names[op >= KECS_CHANGE_CREATED && op <= KECS_CHANGE_LEFT ? op : 0];
}

/* ---- tables ---- */

typedef struct cell {
  char *text;
  size_t width;
} cell;

typedef struct table {
  const kecs_kind_info *info;
  choice chosen;
  unsigned flags;
  cell *cells; /* row by row, the heading first */
  size_t rows;
  size_t room;
} table;

static cell make_cell(buffer *text) {
  buffer shown = {NULL, 0, 0};
  cell made = {NULL, 0};
  add_text(text, "");
  add_text(&shown, "");
  add_shown(&shown, text->data, &made.width);
  made.text = shown.data;
  free(text->data);
  return made;
}

static cell *add_cells(table *out) {
  size_t count = (size_t)out->chosen.count;
  if (out->rows == out->room) {
    out->room = out->room * 2 + 16;
    out->cells = need(realloc(out->cells, out->room * count * sizeof *out->cells));
  }
  return out->cells + out->rows++ * count;
}

static void begin_table(table *out, const kecs_kind_info *info, const choice *chosen, unsigned flags) {
  memset(out, 0, sizeof *out);
  out->info = info;
  out->chosen = *chosen;
  out->flags = flags;
  cell *cells = add_cells(out);
  for (int i = 0; i < chosen->count; i++) {
    buffer text = {NULL, 0, 0};
    add_text(&text, info->columns[chosen->columns[i]].name);
    for (size_t c = 0; c < text.len; c++) {
      text.data[c] = (char)toupper((unsigned char)text.data[c]);
    }
    cells[i] = make_cell(&text);
  }
}

static void add_row(table *out, const void *row) {
  cell *cells = add_cells(out);
  for (int i = 0; i < out->chosen.count; i++) {
    int column = out->chosen.columns[i];
    buffer text = {NULL, 0, 0};
    add_text(&text, "");
    add_value(&text, out->info, row, column, out->flags);
    if (column != out->info->keys[0].columns[0]) {
      memmove(text.data, without_head(text.data), strlen(without_head(text.data)) + 1);
    }
    char *fraction = out->info->columns[column].type == KECS_TYPE_TIME ? strchr(text.data, '.') : NULL;
    if (fraction && !(out->flags & KECS_JSON_EPOCH)) {
      memcpy(fraction, "Z", 2);
    }
    cells[i] = make_cell(&text);
  }
}

/* Columns of the terminal; 0 when stdout is none. */
static size_t terminal_width(void) {
  struct winsize size;
  if (!isatty(STDOUT_FILENO)) {
    return 0;
  }
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* How wide a column gets when no cell may be wider than `most`. Numbers and times are never cut, nor is what a row is
 * addressed by: half of it would be of no use. */
static size_t column_width(const table *shown, int number, size_t most) {
  int column = shown->chosen.columns[number];
  const kecs_column_info *about = &shown->info->columns[column];
  bool whole = in_address(shown->info, column) || is_number(about) || about->type == KECS_TYPE_TIME;
  size_t heading = shown->cells[number].width;
  size_t width = 0;
  for (size_t row = 1; row < shown->rows; row++) {
    size_t one = shown->cells[row * (size_t)shown->chosen.count + (size_t)number].width;
    width = one > width ? one : width;
  }
  heading = heading > most ? most : heading;
  width = !whole && width > most ? most : width;
  return width > heading ? width : heading;
}

static size_t table_width(const table *shown, size_t most, int spare_to) {
  size_t total = 0;
  for (int i = 0; i < shown->chosen.count; i++) {
    bool spared = i >= spare_to && i < shown->chosen.spare_to;
    total += spared ? 0 : column_width(shown, i, most) + 2;
  }
  return total;
}

static void print_cell(const cell *one, size_t width, bool right, bool last) {
  int pad = one->width < width ? (int)(width - one->width) : 0;
  if (right && pad > 0) {
    printf("%*s", pad, "");
  }
  if (one->width > width) {
    fwrite(one->text, 1, bytes_of(one->text, width - 3), stdout);
    fputs("...", stdout);
  } else {
    fputs(one->text, stdout);
  }
  if (!right && !last && pad > 0) {
    printf("%*s", pad, "");
  }
  fputs(last ? "\n" : "  ", stdout);
}

/* Prints the table and gives its memory back. */
static void end_table(table *out) {
  int count = out->chosen.count;
  int spare_to = out->chosen.spare_to;
  size_t most = CELL_WIDTH;
  size_t room = terminal_width();
  while (room > 0 && most > CELL_WIDTH_MIN && table_width(out, most, spare_to) > room) {
    most--;
  }
  while (room > 0 && spare_to > out->chosen.spare_from && table_width(out, most, spare_to) > room) {
    spare_to--;
  }
  size_t widths[TABLE_COLUMNS_MAX];
  for (int i = 0; i < count; i++) {
    bool spared = i >= spare_to && i < out->chosen.spare_to;
    widths[i] = spared ? 0 : column_width(out, i, most);
  }
  for (size_t row = 0; row < out->rows; row++) {
    for (int i = 0; i < count; i++) {
      bool right = is_number(&out->info->columns[out->chosen.columns[i]]);
      if (widths[i] > 0) {
        print_cell(&out->cells[row * (size_t)count + (size_t)i], widths[i], right, i == count - 1);
      }
    }
  }
  for (size_t i = 0; i < out->rows * (size_t)count; i++) {
    free(out->cells[i].text);
  }
  free(out->cells);
}

/* One row, a line for each column that is set. */
static void print_row(const kecs_kind_info *info, const void *row, const choice *chosen, unsigned flags) {
  int widest = 0;
  for (int i = 0; i < chosen->count; i++) {
    int width = (int)strlen(info->columns[chosen->columns[i]].name);
    widest = width > widest ? width : widest;
  }
  size_t room = terminal_width();
  for (int i = 0; i < chosen->count; i++) {
    buffer text = {NULL, 0, 0};
    add_value(&text, info, row, chosen->columns[i], flags);
    if (text.len > 0) {
      cell one = make_cell(&text);
      size_t most = room > (size_t)widest + 20 ? room - (size_t)widest - 2 : one.width;
      printf("%-*s  ", widest, info->columns[chosen->columns[i]].name);
      print_cell(&one, one.width > most ? most : one.width, false, true);
      free(one.text);
    } else {
      free(text.data);
    }
  }
}

/* ---- progress ---- */

typedef struct progress {
  bool shown;
  int64_t total;
  int64_t begun_ms;
  int64_t drawn_ms;
} progress;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void begin_progress(progress *bar, int64_t total) {
  bar->shown = isatty(STDERR_FILENO) && total > 0;
  bar->total = total;
  bar->begun_ms = now_ms();
  bar->drawn_ms = bar->begun_ms; /* what takes no time needs no bar */
}

/* ", 5000/s, 1:05 left" */
static void add_rate(buffer *out, const progress *bar, int64_t done, int64_t count) {
  int64_t ms = now_ms() - bar->begun_ms;
  if (ms < 1000 || done <= 0) {
    return;
  }
  int64_t left = (int64_t)((double)ms * (double)(bar->total - done) / (double)done / 1000);
  char text[80];
  snprintf(text, sizeof text, ", %.0f/s, %lld:%02d left", (double)count * 1000 / (double)ms, (long long)(left / 60),
           (int)(left % 60));
  add_text(out, text);
}

static void draw_progress(progress *bar, int64_t done, int64_t count, const char *what) {
  enum { WIDTH = 30 };
  if (!bar->shown || now_ms() - bar->drawn_ms < 100) {
    return;
  }
  char line[WIDTH + 1];
  done = done > bar->total ? bar->total : done;
  int filled = (int)((double)done * WIDTH / (double)bar->total);
  memset(line, '-', WIDTH);
  memset(line, '#', (size_t)filled);
  line[WIDTH] = '\0';
  int percent = (int)((double)done * 100 / (double)bar->total);
  buffer rate = {NULL, 0, 0};
  add_text(&rate, "");
  add_rate(&rate, bar, done, count);
  fprintf(stderr, "\r[%s] %3d%%  %lld %s%s\033[K", line, percent, (long long)count, what, rate.data);
  free(rate.data);
  bar->drawn_ms = now_ms();
}

static void clear_progress(const progress *bar) {
  if (bar->shown) {
    fputs("\r\033[K", stderr);
  }
}
