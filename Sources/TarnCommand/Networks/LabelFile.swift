import Foundation
import Tarn

/// The names of classes in a text, one a line.
enum LabelFile {
  /// - Parameter outputs: how many numbers the network gives a picture. One name less is understood as a list that
  ///   leaves out class 0, what is none of the classes.
  static func read(_ file: String, outputs: Int) throws -> (names: [String], firstClass: Int) {
    let text = try Text.file(file)
    var names = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    while names.last?.isEmpty == true { names.removeLast() }
    if names.count == outputs { return (names, 0) }
    if names.count + 1 == outputs { return (["background"] + names, 1) }
    throw DataError(
      .invalid, file: file, reason: "names \(names.count) classes, but the network has \(outputs)",
      hint: "give a text with one name a line, in the order of the network's outputs")
  }
}

extension Text {
  /// A whole text of UTF-8.
  static func file(_ path: String) throws -> String {
    let url = URL(fileURLWithPath: path)
    guard FileManager.default.fileExists(atPath: path) else {
      throw DataError(
        .missing, file: path, reason: "there is no such file",
        hint: "check the spelling and the folder you are in")
    }
    let data: Data
    do { data = try Data(contentsOf: url) } catch {
      throw DataError(
        .unreadable, file: path, reason: "cannot be read: \(error.localizedDescription)")
    }
    guard let text = String(bytes: data, encoding: .utf8) else {
      throw DataError(
        .invalid, file: path, reason: "is no text in UTF-8", hint: "convert it, e.g. with iconv")
    }
    return text
  }
}
