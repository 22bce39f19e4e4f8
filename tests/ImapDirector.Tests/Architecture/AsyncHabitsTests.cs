using Mono.Cecil;
using Xunit;

namespace ImapDirector.Tests.Architecture;

/// <summary>No thread waits for another, and no task is left without someone who sees how it ends.</summary>
public sealed class AsyncHabitsTests
{
    private static readonly string[] Tasks = ["System.Threading.Tasks.Task", "System.Threading.Tasks.Task`1", "System.Threading.Tasks.ValueTask`1"];

    [Fact]
    public void No_method_is_async_void() =>
        Assert.Empty(Assemblies.Methods.Where(method => method.ReturnType.FullName == "System.Void"
            && method.CustomAttributes.Any(attribute => attribute.AttributeType.Name == "AsyncStateMachineAttribute")).Select(method => method.FullName));

    [Fact]
    public void No_thread_sleeps() =>
        Assert.Empty(Assemblies.Calls.Where(call => call.Callee.Name == "Sleep" && call.Callee.DeclaringType.FullName == "System.Threading.Thread").Select(call => call.Caller.FullName));

    [Fact]
    public void No_thread_blocks_on_a_task()
    {
        // This assembly blocks on purpose below: what finds nothing there finds nothing anywhere.
        Assert.Equal(3, BlockingCalls(AssemblyDefinition.ReadAssembly(typeof(AsyncHabitsTests).Assembly.Location).MainModule.GetTypes()
            .Where(type => type.Name == nameof(BlocksOnPurpose)).SelectMany(type => type.Methods).SelectMany(CallsOf)).Count());
        Assert.Empty(BlockingCalls(Assemblies.Calls));
    }

    private static IEnumerable<string> BlockingCalls(IEnumerable<(MethodDefinition Caller, MethodReference Callee)> calls) =>
        calls.Where(call => Blocks(call.Callee) && !IsMadeByTheCompiler(call.Caller) && !EndsAnAwait(call.Caller)).Select(call => $"{call.Caller.FullName} calls {call.Callee.Name}");

    private static bool Blocks(MethodReference callee)
    {
        var type = callee.DeclaringType.GetElementType().FullName;
        return callee.Name switch
        {
            "get_Result" or "Wait" or "WaitAll" or "WaitAny" => Tasks.Contains(type),
            "GetResult" => type.Contains("Awaiter", StringComparison.Ordinal),
            _ => false,
        };
    }

    // An await ends in GetResult too, after the task has; and an asynchronous Main is waited for by the one the runtime calls.
    private static bool IsMadeByTheCompiler(MethodDefinition caller) =>
        (caller.Name == "MoveNext" && caller.DeclaringType.Interfaces.Any(one => one.InterfaceType.Name == "IAsyncStateMachine")) || caller.Name == "<Main>";

    // What await itself calls of an awaiter that passes a task on, when the task is done.
    private static bool EndsAnAwait(MethodDefinition caller) =>
        caller.Name == "GetResult" && caller.DeclaringType.Interfaces.Any(one => one.InterfaceType.Name is "INotifyCompletion" or "ICriticalNotifyCompletion");

    private static IEnumerable<(MethodDefinition Caller, MethodReference Callee)> CallsOf(MethodDefinition method) =>
        from instruction in method.Body.Instructions
        let callee = instruction.Operand as MethodReference
        where callee is not null
        select (method, callee);

    private static class BlocksOnPurpose
    {
        public static int ByResult(Task<int> task) => task.Result;

        public static int ByAwaiter(Task<int> task) => task.GetAwaiter().GetResult();

        public static void ByWait(Task task) => task.Wait();
    }
}
