using Mono.Cecil;
using Mono.Cecil.Cil;

namespace ImapDirector.Tests.Architecture;

/// <summary>The product's assemblies as the compiler left them.</summary>
internal static class Assemblies
{
    public static readonly string[] Names =
        ["ImapDirector.Protocol", "ImapDirector.Network", "ImapDirector.Director", "ImapDirector.Storage", "ImapDirector.Operations", "imapdirector"];

    public static IReadOnlyList<AssemblyDefinition> All { get; } =
        [.. Names.Select(name => AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, name + ".dll")))];

    public static IEnumerable<TypeDefinition> Types => All.SelectMany(assembly => assembly.MainModule.GetTypes());

    public static IEnumerable<MethodDefinition> Methods => Types.SelectMany(type => type.Methods);

    /// <summary>Each call, and each object made, in a method body; compiler-made state machines stand for the methods they were made of.</summary>
    public static IEnumerable<(MethodDefinition Caller, MethodReference Callee)> Calls =>
        from method in Methods
        where method.HasBody
        from instruction in method.Body.Instructions
        where instruction.OpCode.FlowControl == FlowControl.Call || instruction.OpCode == OpCodes.Newobj
        let callee = instruction.Operand as MethodReference
        where callee is not null
        select (method, callee);
}
