// A network writes C. It has never seen a compiler.
import Foundation
import Lesson
import Tarn

let corpus = Lesson.orExit {
  try Lesson.corpus("text/linux-c/linux_kernel_c.txt.gz") { try ownKernels() }
}
let lesson = Lesson.orExit {
  try WritingLesson(
    corpus, size: Lesson.amount(192, quick: 64), steps: Lesson.amount(3000, quick: 60))
}
let text = try lesson.text(
  Lesson.amount(20_000, quick: 1000), after: "static int ", temperature: 0.6)
print("\n\(text.prefix(Lesson.amount(800, quick: 200)))\n")

for (open, close) in [("{", "}"), ("(", ")"), ("[", "]")] as [(Character, Character)] {
  var found = Matching()
  found.add(text, open, close)
  print("\(open) \(close): \((100 * found.share).digits(1)) % of \(found.all) are matched")
}

// A function ends at a brace at the start of a line: how many come out even?
let functions = text.components(separatedBy: "\n}\n").dropLast()
let even = functions.count { function in
  function.count { $0 == "{" } == function.count { $0 == "}" } + 1
}
print("\(even) of \(functions.count) functions have as many closing braces as opening ones")

/// The C of this very library.
func ownKernels() throws -> String {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/CTarnKernels").standardizedFileURL
  let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  return try names.filter { $0.hasSuffix(".c") }.map {
    try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)
  }.joined(separator: "\n")
}
