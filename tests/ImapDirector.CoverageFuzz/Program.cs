using System.Reflection;
using System.Text;
using ImapDirector.Fuzz;
using SharpFuzz;
using Xunit;

// afl-fuzz takes no longer ones.
const int MostWordBytes = 128;

// The checks of ImapDirector.Fuzz, driven by afl-fuzz: run.sh says how.
// Without an argument it lists them; with a check, a directory and a file it writes the check's corpus and its dictionary there; with a check and a file it checks what is in
// that once; with a check alone it is what afl-fuzz starts.
var checks = typeof(Fuzzing).Assembly.GetTypes()
    .SelectMany(static type => type.GetMethods().Where(static method => method.GetCustomAttribute<FactAttribute>() is not null))
    .ToDictionary(static method => $"{method.DeclaringType!.Name}.{method.Name}");
if (args is not [var name, ..] || !checks.TryGetValue(name, out var wanted))
{
    foreach (var known in checks.Keys.Order(StringComparer.Ordinal)) Console.WriteLine(known);
    return args.Length == 0 ? 0 : 64;
}
if (args is [_, var directory, var dictionary])
{
    var found = Find(wanted);
    foreach (var (index, input) in found.Corpus.Index()) File.WriteAllBytes(Path.Combine(directory, $"{index:000}"), Encoding.Latin1.GetBytes(input));
    File.WriteAllLines(dictionary, found.Words.Where(static word => word.Length is > 0 and <= MostWordBytes).Select(static word => $"\"{string.Concat(word.Select(Escape))}\""));
    return 0;
}
if (args is [_, var single])
{
    var input = File.ReadAllBytes(single);
    Find(wanted).Check(input, new Random(input.Length));
    return 0;
}
// Instrumented code may run inside of this only, so what a check needs is made there as well.
Action<byte[], Random>? check = null;
Fuzzer.OutOfProcess.Run(stream =>
{
    check ??= Find(wanted).Check;
    using var input = new MemoryStream();
    stream.CopyTo(input);
    // The same input is always checked in the same way.
    check(input.ToArray(), new Random((int)input.Length));
});
return 0;

// As afl-fuzz reads it.
static string Escape(byte letter) => letter is >= (byte)' ' and <= (byte)'~' and not ((byte)'"' or (byte)'\\') ? $"{(char)letter}" : $"\\x{letter:X2}";

static (IReadOnlyList<string> Corpus, IReadOnlyList<byte[]> Words, Action<byte[], Random> Check) Find(MethodInfo method)
{
    var instance = Activator.CreateInstance(method.DeclaringType!)!;
    if (instance is IAsyncLifetime lifetime) Task.Run(lifetime.InitializeAsync).Wait();
    (IReadOnlyList<string>, IReadOnlyList<byte[]>, Action<byte[], Random>)? found = null;
    Fuzzing.Engine = (corpus, words, check) => found = (corpus, words, check);
    try
    {
        method.Invoke(instance, null);
    }
    catch (TargetInvocationException unfed) when (found is not null && unfed.InnerException is Xunit.Sdk.XunitException)
    {
        // A check that counts what it has seen has seen nothing yet.
    }
    return found ?? throw new InvalidOperationException($"{method.Name} runs no fuzzer.");
}
