// Names that nobody has: a network reads a list of first names, one a line, and goes on with it.
import Foundation
import Lesson
import Tarn

let corpus = Lesson.orExit {
  try Lesson.corpus("text/names/ssa_names_2018_32k.txt") { names.joined(separator: "\n") + "\n" }
}
let known = Set(
  corpus.vocabulary.decode(corpus[0..<corpus.count]).split(separator: "\n").map(String.init))
let lesson = Lesson.orExit {
  try WritingLesson(corpus, size: 128, steps: Lesson.amount(3000, quick: 150))
}

// Each temperature is a choice between names that exist and names that do not sound like any.
var table = TextTable(["temperature", "names", "different", "new", "such as"])
for temperature in [0.4, 0.7, 1] {
  let text = try lesson.text(
    Lesson.amount(20_000, quick: 1500), after: "\n", temperature: temperature)
  // The last is cut off.
  let written = text.split(separator: "\n").dropLast().map(String.init)
  let different = Set(written)
  let new = different.subtracting(known)
  let share = 100 * Double(new.count) / Double(max(1, different.count))
  table.add([
    temperature.digits(1), "\(written.count)", "\(different.count)", "\(share.digits(1)) %",
    new.sorted().filter { $0.count > 3 }.prefix(5).joined(separator: ", "),
  ])
}
print("\nshare of different names that are in no list\n\(table)")
