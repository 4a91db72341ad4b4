import Foundation
import Tarn
import TarnExchange

// Checks of ONNX import and export that need data or another engine:
//   TarnONNXCheck cases FOLDER [--filter TEXT] [--table FILE] [--verbose]    the cases of ONNX's own test suite
//   TarnONNXCheck export FOLDER     writes models as ONNX, with inputs and outputs, for Tools/onnx_check.py
//   TarnONNXCheck run FILE.onnx IN.safetensors OUT.safetensors
//   TarnONNXCheck time FILE.onnx    seconds of a run on zeros, with the native model for comparison

var arguments = CommandLine.arguments.dropFirst()
do {
  switch arguments.popFirst() {
  case "cases": try checkCases(CaseArguments(Array(arguments)))
  case "export": try exportModels(to: URL(fileURLWithPath: arguments.first ?? "onnx-models"))
  case "run": try run(Array(arguments))
  case "time": try time(arguments.first ?? "")
  default:
    print("usage: TarnONNXCheck cases FOLDER | export FOLDER | run FILE IN OUT | time FILE")
    exit(64)
  }
} catch {
  print("\(error)")
  exit(1)
}
